"""Reduces an illegal history to the few calls that contradict each other, and names the clause.

May import `pools` and `slot`.
"""
