"""Reduces an illegal history to the few calls that contradict each other, and names the clause.

May import `exhaustive`, `pools`, `slot` and what those may import.
"""
