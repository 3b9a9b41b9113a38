"""Virtual threads of compiled code: the runtime in C that it is linked to, and what drives that.

May import `compiled`, and `runtime` for the scheduler; it knows nothing of pages or clauses.
"""
