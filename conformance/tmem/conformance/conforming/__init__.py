"""Backends that conform, each in a different way, on which the suite must never raise an alarm.

`compose(seed)` draws one: an adversary with its own odds for every choice of the contract, wrapped in layers
that remove abilities, limit room, drop pages, or change errors, ids or locking. Imports nothing else of
`conformance`.
"""

from tmem.conformance.conforming.compose import Composed, compose

__all__ = ["Composed", "compose"]
