"""Concurrent programs: drawn at random, and every pair of operations.

May import `programs` and the specification.
"""
