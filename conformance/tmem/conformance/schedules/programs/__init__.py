"""The programs that schedules explore: drawn ones, and every pair of operations.

May import `programs` and the specification.
"""
