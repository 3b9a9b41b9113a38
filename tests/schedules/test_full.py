"""Programs in a full store: it is full, and what a failed put does wrong under overlap shows there alone."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from tmem.conformance.schedules.explore import Subject, explore, open_subject
from tmem.conformance.schedules.portfolio import PAIRS, PROGRAMS, mixed, programs, tightest, when_full
from tmem.conformance.schedules.runtime.virtual import NeverPreempt
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Search
from tmem.conformance.schedules.threaded.pairs import pairs
from tmem.conformance.schedules.threaded.program import Program, number
from tmem.conformance.targets.resolve import BUDGETS
from tmem.spec.handle import Handle
from tmem.spec.operations import FlushObject, Put

LOOK = "            there = table.get(pool) is owner\n            if there:\n"
FAIL = (
    f"            owner.lock.acquire()\n{LOOK}                owner.fail(oid, index)\n"
    "            owner.lock.release()\n"
)


def unlocked(source: str) -> str:
    """Let a put that failed empty its slot without the lock of the pool."""
    assert source.count(FAIL) == 1
    return source.replace(
        FAIL, FAIL.replace("owner.lock.acquire()", "pass").replace("owner.lock.release()", "pass")
    )


def store(rewrite: dict[str, object] | None = None) -> Subject:
    return open_subject("tmem.impl.target", "factory", tuple((budget,) for budget in BUDGETS), rewrite)


def put_against_flush(made: Iterable[Program]) -> list[Program]:
    kinds = (Put, FlushObject)
    return [each for each in made if tuple(type(thread[0]) for thread in each.threads) == kinds]


def broken(subject: Subject, made: Iterable[Program], variant: int) -> set[str]:
    ((level, plan),) = PAIRS
    found = set()
    with watched():
        for program in made:
            search = Search(Executor(subject.backends(level, variant), program, subject.page_size))
            if (first := search.first(plan, 0)) is not None:
                found.add(first[1].clause)
    return found


def test_there_is_no_room_for_one_more_page() -> None:
    subject = store()
    variant = tightest(subject)
    assert variant is not None
    assert BUDGETS[variant] == min(budget for budget in BUDGETS if budget)
    for program in when_full(subject, 0)[::10]:
        pool = len(program.pools) - 1
        more = Program(program.setup, ((Put(3, Handle(pool, 8, 0), number(2)),),))
        with watched():
            run = Executor(subject.backends("lock", variant), more, subject.page_size).execute(NeverPreempt())
        assert run.answers[len(more.setup)] is False


def test_they_come_after_the_programs_of_every_run() -> None:
    subject = store()
    full = when_full(subject, 0)
    assert programs(subject, 0) == PROGRAMS + len(full)
    chosen = [mixed(subject, 0, PROGRAMS + n, random.Random(0)) for n in range(len(full))]
    assert [each.program for each in chosen] == full
    assert {each.variant for each in chosen} == {tightest(subject)}
    assert mixed(subject, 0, PROGRAMS - 1, random.Random(0)).variant is None


def test_what_is_never_full_has_none() -> None:
    subject = open_subject("tmem.model.adversary", "backend", (("keep", 0),))
    assert when_full(subject, 0) == []
    assert programs(subject, 0) == PROGRAMS


@pytest.mark.parametrize(("rewrite", "right"), [({}, True), ({"tmem.impl.store": unlocked}, False)])
def test_a_put_that_fails_beside_a_flush_shows_in_a_full_store_alone(rewrite, right) -> None:
    subject = store(rewrite)
    variant = tightest(subject)
    assert variant is not None
    roomy = put_against_flush(pairs(0, subject.reclaims, subject.shared))
    full = put_against_flush(when_full(subject, 0))
    assert len(roomy) == len(full) > 4
    assert not broken(subject, roomy, variant)
    assert (not broken(subject, full, variant)) == right


def test_a_small_store_that_is_right_raises_no_alarm() -> None:
    subject = open_subject(str(Path(__file__).with_name("leaky.py")), "Store")
    every = programs(subject, 0)
    assert every > PROGRAMS
    assert list(explore(subject, 0, every, begun=PROGRAMS)) == []
