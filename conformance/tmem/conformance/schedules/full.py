"""Each pair of operations that begins with a put once more, in a store that has no more room.

There a put fails, or takes the room of other pages: paths that no program gets to which leaves room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from tmem.conformance.pages import corpus
from tmem.conformance.schedules.pairs import pairs
from tmem.conformance.schedules.program import OIDS, PERSISTENT, Program, number
from tmem.conformance.schedules.subject import Subject
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
