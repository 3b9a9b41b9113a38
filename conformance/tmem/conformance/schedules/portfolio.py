"""Which programs are explored, and how: every pair of operations, every operation against every script, pairs
in a full store, and larger programs drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.runtime.load import Level
from tmem.conformance.schedules.search.search import Exploration
from tmem.conformance.schedules.search.subject import Subject
from tmem.conformance.schedules.threaded.pairs import pairs
from tmem.conformance.schedules.threaded.program import OIDS, PERSISTENT, Program, draw, number
from tmem.conformance.schedules.threaded.scripts import scripts
from tmem.spec.handle import Handle
from tmem.spec.operations import NewPool, Put

_CLIENT: Final = 3
"""The client whose pages fill the store. Pairs have the clients 1 and 2."""


def tightest(subject: Subject) -> int | None:
    """The variant with room for the fewest pages; None if no variant is known to become full."""
    full = [n for n, fill in enumerate(subject.fills) if fill]
    return min(full, default=None, key=lambda n: len(subject.fills[n]))


def when_full(subject: Subject, seed: int) -> list[Program]:
    """The programs of a seed in a full store, for the tightest variant; none if there is no such variant."""
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
"""Explorations of one program, each at a level."""


class Choice(NamedTuple):
    """A program, its explorations, and the variant of the subject; None stands for any variant."""

    program: Program
    explorations: Explorations
    variant: int | None = None


Chooser = Callable[[Subject, int, int, random.Random], Choice]
"""Returns what is explored under a seed and number."""


class Draw(NamedTuple):
    """The size of programs that are drawn, and their explorations."""

    threads: int
    operations: int
    explorations: Explorations


def _at_random(threads: int, operations: int, sticky: int, pct: int) -> Draw:
    return Draw(threads, operations, (("statement", Exploration(sticky=sticky, pct=pct)),))


_SYSTEMATIC: Final[Explorations] = (
    ("lock", Exploration(bound=2)),
    ("statement", Exploration(bound=1, sticky=10)),
)
PORTFOLIO: Final = (
    _at_random(3, 3, sticky=40, pct=4),
    _at_random(4, 8, sticky=30, pct=4),
    Draw(2, 3, _SYSTEMATIC),
    _at_random(3, 4, sticky=40, pct=4),
    _at_random(3, 2, sticky=40, pct=4),
    Draw(2, 2, _SYSTEMATIC),
    _at_random(4, 6, sticky=30, pct=4),
    Draw(3, 4, (("lock", Exploration(sticky=40, pct=4)),)),
)
"""The programs that are drawn, in turn. Schedules drawn at random of larger programs find most races soonest;
small programs are searched systematically."""
PAIRS: Final[Explorations] = (("statement", Exploration(bound=1)),)
"""The exploration of a pair of operations: all that one preemption can do."""
SCRIPTS: Final[Explorations] = (("statement", Exploration(bound=1, interrupted=True)),)
"""The exploration of an operation against a script: the operation is interrupted at each of its points."""
PROGRAMS: Final = 544
"""Programs at scale 1, without those in a full store. All pairs and scripts are among them."""
TURN: Final = 8
"""While pairs and scripts are left, the last of each group of this number of programs is drawn at random."""


def programs(subject: Subject, seed: int) -> int:
    """Programs of a round at scale 1."""
    return PROGRAMS + len(when_full(subject, seed))


def mixed(subject: Subject, seed: int, number: int, draws: random.Random) -> Choice:
    """A pair, a script, or a program of PORTFOLIO (see TURN).

    From number PROGRAMS on, programs run in a full store.
    """
    if 0 <= number - PROGRAMS < len(full := when_full(subject, seed)):
        return Choice(full[number - PROGRAMS], PAIRS, tightest(subject))
    turn, place = divmod(number, TURN)
    small = systematic(seed, subject.reclaims, subject.shared)
    before = turn * (TURN - 1)
    if place < TURN - 1 and before + place < len(small):
        return small[before + place]
    return drawn(subject, seed, turn if before < len(small) else number, draws)


@lru_cache(2)
def systematic(seed: int, reclaims: bool, shared: bool) -> list[Choice]:
    """All pairs and scripts, in an order that the seed draws."""
    choices = [Choice(each, PAIRS) for each in pairs(seed, reclaims, shared)]
    choices += [Choice(each, SCRIPTS) for each in scripts(seed, reclaims, shared)]
    random.Random(f"systematic {seed}").shuffle(choices)
    return choices


def drawn(subject: Subject, seed: int, number: int, draws: random.Random) -> Choice:
    """A program of PORTFOLIO, whose entries take turns."""
    entry = PORTFOLIO[number % len(PORTFOLIO)]
    program = draw(draws, entry.threads, entry.operations, subject.reclaims, subject.shared)
    return Choice(program, entry.explorations)
