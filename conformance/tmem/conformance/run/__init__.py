"""One run of `tmem check` or `tmem replay`: supervisor, worker, jobs, turns, hangs and crashes.

May import `engines`, `targets`, `report` and what lies below them; the command drives it.
"""
