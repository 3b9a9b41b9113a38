"""Decides the calls of one slot: zones, misses, the frontier search, the order that proves a history legal.

May import `calls`, `partition` and `interpret` only.
"""
