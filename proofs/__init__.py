"""Theorems about the specification, for CrossHair, and the small world, for exhaustion.

`python -m proofs` proves them; `index()` says which theorems prove something of which clause.
"""

from proofs import slot, belief, answers, store, base, pools, sharing  # isort: skip  # they register theorems
from proofs.theorem import THEOREMS, Theorem, index

__all__ = ["THEOREMS", "Theorem", "answers", "base", "belief", "index", "pools", "sharing", "slot", "store"]
