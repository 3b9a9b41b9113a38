"""Pairs of operations that take more than one step of one thread: the races that only they find."""

from __future__ import annotations

import pytest

from tmem.conformance.schedules.explore import Subject, open_subject
from tmem.conformance.schedules.portfolio import PAIRS
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Search
from tmem.conformance.schedules.threaded.pairs import pairs
from tmem.conformance.schedules.threaded.program import Program
from tmem.spec.operations import DestroyPool, Get, Put

LOCK = "                if not owner.lock.acquire(False):\n                    take(owner.lock)\n"
LOOK = "                there = table.get(pool) is owner\n"


def looks_early(source: str) -> str:
    """Let a get look whether its client has left the pool before it takes the lock of the pool."""
    assert source.count(LOCK + LOOK + "                pampd = ") == 1
    return source.replace(LOCK + LOOK + "                pampd = ", LOOK + LOCK + "                pampd = ")


def left() -> list[Program]:
    """The pairs in which a client leaves a shared pool under a get of its own, and the other puts a page."""
    kinds = ((Get,), (DestroyPool, Put))
    return [
        program
        for program in pairs(0, reclaims=True, shared=True)
        if tuple(tuple(map(type, thread)) for thread in program.threads) == kinds
        and len({each.client for thread in program.threads for each in thread}) == 2
    ]


def broken(subject: Subject) -> list[str]:
    ((level, plan),) = PAIRS
    found = []
    with watched():
        for program in left():
            search = Search(Executor(subject.backends(level, 0), program, subject.page_size))
            if (first := search.first(plan, 0)) is not None:
                found.append(first[1].clause)
    return found


@pytest.mark.parametrize(
    ("rewrite", "clauses"), [({}, set()), ({"tmem.impl.store": looks_early}, {"TMEM-POOL-2"})]
)
def test_what_a_sharer_puts_is_not_shown_to_a_client_that_has_left(rewrite, clauses) -> None:
    assert len(left()) == 4
    assert set(broken(open_subject("tmem.impl.target", "factory", ((None,),), rewrite))) == clauses
