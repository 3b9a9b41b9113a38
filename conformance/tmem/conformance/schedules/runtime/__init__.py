"""Threads that run one at a time: switch points, virtual locks, threads and modules, and who runs next.

May import `loader`; it knows nothing of pages or clauses.
"""
