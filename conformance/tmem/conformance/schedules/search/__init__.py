"""The search for a failing schedule of a program, and its shrinking.

May import `runtime`, `programs` and `history`.
"""
