"""Decides when pools were made and ended, where calls on pool ids overlap.

May import `slot` and what that may import.
"""
