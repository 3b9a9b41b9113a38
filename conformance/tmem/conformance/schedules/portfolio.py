"""Which programs are explored, and how: every two operations, larger programs drawn at random, and what
happens in a full store.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.programs.pairs import pairs
from tmem.conformance.schedules.programs.program import OIDS, PERSISTENT, Program, draw, number
from tmem.conformance.schedules.runtime.instrument import Level
from tmem.conformance.schedules.search.search import Exploration
from tmem.conformance.schedules.search.subject import Subject
from tmem.spec.handle import Handle
from tmem.spec.operations import NewPool, Put

_CLIENT: Final = 3
"""Whose pages fill the store: pairs have the clients 1 and 2."""


def tightest(subject: Subject) -> int | None:
    """The variant with room for the fewest pages; None where none is known to be full ever."""
    full = [n for n, fill in enumerate(subject.fills) if fill]
    return min(full, default=None, key=lambda n: len(subject.fills[n]))


def when_full(subject: Subject, seed: int) -> list[Program]:
    """The programs of a seed, for the tightest variant; none where there is no such."""
    variant = tightest(subject)
    if variant is None:
        return []
    fill = _numbers(subject.fills[variant], subject.page_size)
    return _filled(seed, subject.reclaims, subject.shared, fill)


@lru_cache(2)
def _filled(seed: int, reclaims: bool, shared: bool, fill: tuple[bytes, ...]) -> list[Program]:
    return [
        _fill(program, fill)
        for program in pairs(seed, reclaims, shared)
        if isinstance(program.threads[0][0], Put)
    ]


def _fill(program: Program, pages: Sequence[bytes]) -> Program:
    pool = len(program.pools)
    puts = (Put(_CLIENT, Handle(pool, OIDS[0], index), page) for index, page in enumerate(pages))
    return replace(program, setup=(*program.setup, NewPool(_CLIENT, PERSISTENT), *puts))


@lru_cache(2)
def _numbers(fill: tuple[bytes, ...], page_size: int) -> tuple[bytes, ...]:
    known = corpus(page_size).pages
    return tuple(number(known.index(page)) for page in fill)


Explorations = tuple[tuple[Level, Exploration], ...]


class Chosen(NamedTuple):
    """A program and how it is explored; on which variant of the subject, or on any."""

    program: Program
    plans: Explorations
    variant: int | None = None


Chooser = Callable[[Subject, int, int, random.Random], Chosen]
"""What is explored under a seed and number."""


class Kind(NamedTuple):
    """A kind of program, and the plans that explore it, each at a level."""

    threads: int
    operations: int
    plans: Explorations


def _drawn(threads: int, operations: int, sticky: int, pct: int) -> Kind:
    return Kind(threads, operations, (("statement", Exploration(sticky=sticky, pct=pct)),))


_SYSTEMATIC: Final[Explorations] = (
    ("lock", Exploration(bound=2)),
    ("statement", Exploration(bound=1, sticky=10)),
)
PORTFOLIO: Final = (
    _drawn(3, 3, sticky=40, pct=4),
    _drawn(4, 8, sticky=30, pct=4),
    Kind(2, 3, _SYSTEMATIC),
    _drawn(3, 4, sticky=40, pct=4),
    _drawn(3, 2, sticky=40, pct=4),
    Kind(2, 2, _SYSTEMATIC),
    _drawn(4, 6, sticky=30, pct=4),
    Kind(3, 4, (("lock", Exploration(sticky=40, pct=4)),)),
)
"""The kinds of programs, in turn: most races are found soonest by drawing schedules of larger programs;
small ones are searched through."""
PAIRS: Final[Explorations] = (("statement", Exploration(bound=1)),)
"""How each pair of operations is explored: whatever one preemption can do."""
PROGRAMS: Final = 376
"""Programs at scale 1, three of four of them pairs of operations, of which these are all; those in a full
store come on top."""


def programs(subject: Subject, seed: int) -> int:
    """Programs of a run at scale 1."""
    return PROGRAMS + len(when_full(subject, seed))


def mixed(subject: Subject, seed: int, number: int, draws: random.Random) -> Chosen:
    """Of four programs three are pairs, while there are any left; the others are of the portfolio.

    Those that come after PROGRAMS of them are in a full store.
    """
    if 0 <= number - PROGRAMS < len(full := when_full(subject, seed)):
        return Chosen(full[number - PROGRAMS], PAIRS, tightest(subject))
    turn, place = divmod(number, 4)
    small = pairs(seed, subject.reclaims, subject.shared)
    if place < 3 and 3 * turn + place < len(small):
        return Chosen(small[3 * turn + place], PAIRS)
    return drawn(subject, seed, turn if 3 * turn < len(small) else number, draws)


def drawn(subject: Subject, seed: int, number: int, draws: random.Random) -> Chosen:
    """A program of the portfolio, whose kinds take turns."""
    kind = PORTFOLIO[number % len(PORTFOLIO)]
    return Chosen(draw(draws, kind.threads, kind.operations, subject.reclaims, subject.shared), kind.plans)
