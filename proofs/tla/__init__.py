"""The twin of the specification in TLA+, checked by TLC: store, clauses, judge, and the page store's locks.

The modules were written by hand from the sentences of the clauses. `models` says which are checked, and with
what constants; `tlc` runs the checker. `python -m proofs.tla` checks all of them.
"""
