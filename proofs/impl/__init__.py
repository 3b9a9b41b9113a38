"""Contracts on the implementation, for CrossHair: the code of `tmem.impl` against the semantics of a slot.

`python -m proofs.impl` decides them, and has each refuted by bugs that are seeded into a copy of the code.
"""
