"""Programs of several threads: drawn at random, every pair of operations, and one operation against scripts.

May import the specification only.
"""
