"""The engine for stores that live long and fill up: phases over many slots, judged in little memory.

`run` is the engine: what a turn runs, and how large. `chapters`, `full` and `growth` write the programs,
`pace` measures how much fits. `trials` runs a program and reports what it shows, `regain` checks that claim.
`perform` goes through the phases, with `loops` and `cycles` for speed. `ledger` judges, slot by slot.
"""
