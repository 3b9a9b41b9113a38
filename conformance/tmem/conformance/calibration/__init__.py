"""Proof that the suite bites, and never bites the innocent: `tmem calibrate`.

`kill` measures how soon a fault of the catalogue is noticed; `accept` that conforming backends raise no
alarm; `work` does both on all cores and can be resumed; `tables` writes what was found. May import
everything but `cli`.
"""
