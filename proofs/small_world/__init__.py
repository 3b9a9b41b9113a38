"""The small world: the judge beside the whole transition relation, on every trace there is.

`relation` says which worlds an operation leads to, by `tmem.spec.store`; `alphabet` lists every operation
with every answer; `numbered` walks the relation to its fixpoint; `traces` follows the judge along it.
`python -m proofs.small_world` does all of it.
"""
