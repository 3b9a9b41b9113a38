"""What a slot may hold at a moment of a history, beside the judge where calls do not overlap."""

from __future__ import annotations

import random

import pytest

from tmem.conformance.history.may_hold import held
from tmem.conformance.programs.perform import perform
from tmem.model import Judge, adversary
from tmem.spec import Get, Handle, NewPool, Put
from tmem.spec.belief import EMPTY, Belief
from tmem.spec.history import Call
from tmem.spec.operations import Answer, FlushObject, FlushPage, Operation

SLOT = Handle(0, 7, 3)
A, B = b"a" * 64, b"b" * 64
MADE = Call(NewPool(1, 0x01000000), 0, 0, 1)


@pytest.mark.parametrize("seed", range(8))
def test_without_overlap_it_is_what_the_judge_believes(seed: int) -> None:
    draw = random.Random(seed)
    backend, judge = adversary.backend("random", seed), Judge(4096)
    pages = [bytes([n]) * 4096 for n in range(1, 30)]
    flags = 0x01000000 | seed % 2  # ephemeral and persistent
    trace: list[tuple[Operation, Answer]] = []
    for n in range(30):
        slot = Handle(0, 7, draw.randrange(2))
        page = pages[n - 1]
        drawn = draw.choice([Put(1, slot, page), Get(1, slot), FlushPage(1, slot), FlushObject(1, 0, 7)])
        operation = NewPool(1, flags) if n == 0 else drawn
        trace.append((operation, perform(backend, operation)))
        assert judge.observe(*trace[-1]) is None
        found = held([Call(*each, 2 * m, 2 * m + 1) for m, each in enumerate(trace)], n)
        if isinstance(operation, Put | Get | FlushPage):
            assert found is not None
            assert found.beliefs == (judge.record.may_hold(1, slot),)


def test_a_put_that_overlaps_may_have_happened_or_not() -> None:
    calls = [MADE, Call(Put(1, SLOT, A), True, 2, 9), Call(FlushPage(1, SLOT), True, 3, 5)]
    found = held(calls, 2)
    assert found is not None
    assert set(found.beliefs) == {Belief(A), EMPTY}
    assert found.since is None


def test_a_wrong_answer_has_no_order() -> None:
    calls = [MADE, Call(Put(1, SLOT, A), True, 2, 3), Call(Get(1, SLOT), B, 4, 5)]
    found = held(calls, 2)
    assert found is not None
    assert (found.beliefs, found.before, found.since) == ((), (Belief(A),), 1)


def test_a_put_that_never_returned_may_have_happened() -> None:
    calls = [MADE, Call(Put(1, SLOT, A), True, 2, None), Call(FlushPage(1, SLOT), True, 3, 5)]
    found = held(calls, 2)
    assert found is not None
    assert set(found.beliefs) == {Belief(A), EMPTY}
    assert held(calls, 1) is None


def test_too_many_orders_are_not_tried() -> None:
    puts = [Call(Put(1, SLOT, bytes([n]) * 64), True, 2, 99) for n in range(16)]
    assert held([MADE, *puts], 1) is None


def test_of_a_long_history_nothing_is_said() -> None:
    calls = [Call(FlushPage(1, SLOT), True, 2 * n, 2 * n + 1) for n in range(1, 3_000)]
    assert held([MADE, *calls], 50) is not None
    assert held([MADE, *calls], 2_000) is None


def test_an_answer_that_cannot_be_hashed_has_no_order() -> None:
    wrong: Answer = bytearray(A)  # type: ignore[assignment]  # what a wrong backend may answer
    found = held([MADE, Call(Put(1, SLOT, A), True, 2, 3), Call(Get(1, SLOT), wrong, 4, 5)], 2)
    assert found is not None
    assert (found.beliefs, found.before) == ((), (Belief(A),))
