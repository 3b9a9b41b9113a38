"""What the checker answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from tmem.conformance.history.calls import Call
from tmem.conformance.history.lives import Moment
from tmem.conformance.history.order import Order


@dataclass(frozen=True, slots=True)
class Legal:
    """The history can have happened one call at a time.

    `moments` are those at which pools were made and ended; `orders` finds an order for each slot, which
    `replay.objection` checks against the spec.
    """

    calls: int
    moments: tuple[Moment, ...] = field(repr=False)
    orders: Callable[[], Iterator[Order]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Illegal:
    """It cannot have: already the calls of the window, in the order of their begins, cannot.

    No call can be left out of the window. `reason` is one sentence.
    """

    clause: str
    reason: str
    window: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no answer: the budget of states is spent, or a choice was not searched."""

    reason: str


Result: TypeAlias = Legal | Illegal | Unknown
