"""Backends that conform, each in another way: what the suite must never raise an alarm over.

`compose(seed)` draws one: every choice of the contract by a temper of its own, and layers that take abilities
away, make room short, let pages go, answer otherwise, serve threads otherwise. Imports no other room.
"""

from tmem.conformance.conforming.compose import Composed, compose

__all__ = ["Composed", "compose"]
