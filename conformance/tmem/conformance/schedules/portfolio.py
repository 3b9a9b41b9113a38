"""Which programs are explored, and how: every two operations, and larger programs drawn at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, NamedTuple

from tmem.conformance.schedules.pairs import pairs
from tmem.conformance.schedules.program import Program, draw
from tmem.conformance.schedules.seam import Level
from tmem.conformance.schedules.search import Plan
from tmem.conformance.schedules.subject import Subject

Plans = tuple[tuple[Level, Plan], ...]
Chooser = Callable[[Subject, int, int, random.Random], tuple[Program, Plans]]
"""The program of a seed and number, and how it is explored."""


class Kind(NamedTuple):
    """A kind of program, and the plans that explore it, each at a level."""

    threads: int
    operations: int
    plans: Plans


def _drawn(threads: int, operations: int, sticky: int, pct: int) -> Kind:
    return Kind(threads, operations, (("statement", Plan(sticky=sticky, pct=pct)),))


_SYSTEMATIC: Final[Plans] = (
    ("lock", Plan(bound=2)),
    ("statement", Plan(bound=1, sticky=10)),
)
PORTFOLIO: Final = (
    _drawn(3, 3, sticky=40, pct=4),
    _drawn(4, 8, sticky=30, pct=4),
    Kind(2, 3, _SYSTEMATIC),
    _drawn(3, 4, sticky=40, pct=4),
    _drawn(3, 2, sticky=40, pct=4),
    Kind(2, 2, _SYSTEMATIC),
    _drawn(4, 6, sticky=30, pct=4),
    Kind(3, 4, (("lock", Plan(sticky=40, pct=4)),)),
)
"""The kinds of programs, in turn: most races are found soonest by drawing schedules of larger programs;
small ones are searched through."""
PAIRS: Final[Plans] = (("statement", Plan(bound=1)),)
"""How each pair of operations is explored: whatever one preemption can do."""


def mixed(subject: Subject, seed: int, number: int, draws: random.Random) -> tuple[Program, Plans]:
    """Of four programs three are pairs, while there are any left; the others are of the portfolio."""
    turn, place = divmod(number, 4)
    small = pairs(seed, subject.reclaims, subject.shared)
    if place < 3 and 3 * turn + place < len(small):
        return small[3 * turn + place], PAIRS
    return drawn(subject, seed, turn if 3 * turn < len(small) else number, draws)


def drawn(subject: Subject, seed: int, number: int, draws: random.Random) -> tuple[Program, Plans]:
    """A program of the portfolio, whose kinds take turns."""
    kind = PORTFOLIO[number % len(PORTFOLIO)]
    return draw(draws, kind.threads, kind.operations, subject.reclaims, subject.shared), kind.plans
