"""Trying all orders of a few calls gives what the definition in `spec.history` gives."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tmem.conformance.history.exhaustive import violation_in
from tmem.conformance.schedules.threaded.program import number
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.history import Call, linearizable
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)

FLAGS = ((0, None), (PERSIST, None), (SHARED, 5), (SHARED | PERSIST, 5))
ERRORS = (12, 19, 28, 1000)


def histories(seed: int, count: int) -> Iterator[list[Call]]:
    """Random histories: calls with random answers at random times, so that many are illegal."""
    draw = random.Random(seed)
    for _ in range(count):
        clock = 0
        flags = draw.choice(FLAGS)
        calls = [Call(NewPool(1, *flags), 0, -2, -1)]
        pages = 0
        for _ in range(draw.randint(1, 6)):
            client = 2 if flags[1] and draw.random() < 0.3 else 1
            handle = Handle(draw.choice((0, 0, 0, 1)), 7 + (draw.random() < 0.2), draw.randrange(2))
            operation: Operation
            answer: Answer
            match draw.randrange(12):
                case 0 | 1 | 2 | 3:
                    pages += 1
                    operation = Put(client, handle, number(pages))
                    answer = draw.choice((True, True, True, False, Raised("OSError", draw.choice(ERRORS))))
                case 4 | 5 | 6 | 7:
                    operation = Get(client, handle)
                    answer = draw.choice((None, number(draw.randint(1, pages + 1)), Raised("OSError", 19)))
                    if draw.random() < 0.6 and pages:
                        answer = number(draw.randint(1, pages))
                case 8:
                    operation, answer = FlushPage(client, handle), draw.random() < 0.5
                case 9:
                    operation, answer = FlushObject(client, handle.pool, handle.oid), draw.random() < 0.5
                case 10:
                    operation, answer = DestroyPool(client, handle.pool), draw.random() < 0.8
                case _:
                    operation = NewPool(client, *draw.choice(FLAGS))
                    answer = draw.choice((handle.pool, 1 - handle.pool, Raised("OSError", 12)))
                    if draw.random() < 0.2:
                        operation, answer = Reclaim(2), draw.randrange(3)
            clock += draw.randrange(4)
            begin = clock + len(calls) / 100
            calls.append(Call(operation, answer, begin, begin + draw.randrange(8) + 0.5))
        yield calls


@pytest.mark.parametrize("atomic", [False, True])
def test_it_agrees_with_the_definition(atomic: bool) -> None:
    legal = illegal = 0
    for calls in histories(7 + atomic, 4_000):
        breach = violation_in(calls, atomic)
        assert (breach is None) == linearizable(calls, atomic_flush=atomic), calls
        legal, illegal = legal + (breach is None), illegal + (breach is not None)
    assert min(legal, illegal) > 800


def test_atomic_flushes_differ() -> None:
    one, two = Handle(0, 7, 0), Handle(0, 7, 1)
    calls = [
        Call(NewPool(1, PERSIST), 0, 0, 1),
        Call(Put(1, one, number(1)), True, 2, 3),
        Call(Put(1, two, number(2)), True, 4, 5),
        Call(FlushObject(1, 0, 7), True, 6, 20),
        Call(Get(1, one), None, 7, 8),
        Call(Get(1, two), number(2), 9, 10),
    ]
    assert violation_in(calls) is None
    breach = violation_in(calls, atomic_flush=True)
    assert breach is not None
    assert breach.clause == "atomic-flush"


def test_the_sentence_tells_where_the_page_came_from() -> None:
    slot = Handle(0, 7, 0)
    calls = [
        Call(NewPool(1), 0, 0, 1),
        Call(Put(1, slot, number(1)), True, 2, 3),
        Call(Get(1, slot), number(1), 4, 9),
        Call(Get(1, slot), number(1), 5, 8),
    ]
    breach = violation_in(calls)
    assert breach is not None
    assert breach.clause == "TMEM-GET-2"
    assert "the page of put #2" in breach.message
    assert "which an exclusive hit (#4) had ended" in breach.message, "the get that began last came first"
    assert breach.call == 2


def test_undeclared_answers_are_reported_first() -> None:
    calls = [Call(NewPool(1), 0, 0, 1), Call(FlushPage(1, Handle(0, 7, 0)), Raised("KeyError"), 2, 3)]
    breach = violation_in(calls)
    assert breach is not None
    assert (breach.clause, breach.call) == ("TMEM-ERR-1", 1)


@pytest.mark.parametrize("answer", [1, None, [], bytearray(2)])
def test_equal_answers_of_different_types_differ(answer: Answer) -> None:
    flush = FlushPage(1, Handle(0, 7, 0))
    assert violation_in([Call(NewPool(1), 0, 0, 1), Call(flush, True, 2, 3)]) is None
    breach = violation_in([Call(NewPool(1), 0, 0, 1), Call(flush, answer, 2, 3)])
    assert breach is not None
    assert breach.clause == "TMEM-ERR-1"


def shared_by_two(flags: Answer, *between: Call) -> list[Call]:
    """Two clients ask for one shared pool. The second, given these flags, misses what the first has put."""
    slot = Handle(0, 7, 0)
    return [
        Call(NewPool(1, SHARED | PERSIST, 5), 0, 0, 1),
        Call(PoolFlags(1, 0), SHARED | PERSIST, 2, 3),
        Call(Put(1, slot, number(1)), True, 4, 5),
        Call(NewPool(2, SHARED | PERSIST, 5), 0, 6, 7),
        *between,
        Call(PoolFlags(2, 0), flags, 8, 11),
        Call(Get(2, slot), None, 12, 13),
    ]


def test_a_pool_is_of_the_kind_that_its_flags_say() -> None:
    assert violation_in(shared_by_two(PERSIST)) is None
    breach = violation_in(shared_by_two(SHARED | PERSIST))
    assert breach is not None
    assert breach.clause == "TMEM-SHARE-1"
    assert violation_in(shared_by_two(Raised("OSError", 19))) is not None  # as it was asked for


def test_a_pool_that_ended_before_its_flags_came_may_have_been_of_any_kind() -> None:
    slot = Handle(0, 7, 1)
    put, miss = Call(Put(2, slot, number(2)), True, 7.1, 7.2), Call(Get(2, slot), None, 7.3, 7.4)
    destroy = Call(DestroyPool(2, 0), True, 7.5, 7.8)
    no_flags = shared_by_two(Raised("OSError", 19), put, miss, destroy)
    assert violation_in(no_flags) is None
    assert violation_in([*no_flags, Call(Get(2, slot), number(2), 14, 15)]) is not None


def test_of_pools_made_at_once_under_one_id_each_has_its_kind() -> None:
    # The new pools and the destroy overlap: the ephemeral pool is the last only if the other came first.
    slot, page = Handle(1, 7, 0), number(1)
    for cache, swap in ((7, 9), (9, 7)):
        calls = [
            Call(NewPool(1), 1, 0, cache),
            Call(NewPool(1, PERSIST), 1, 1, swap),
            Call(DestroyPool(1, 1), True, 2, 8),
            Call(Put(1, slot, page), True, 10, 11),
            Call(Get(1, slot), page, 12, 13),
            Call(Get(1, slot), None, 14, 15),
        ]
        assert linearizable(calls)
        assert violation_in(calls) is None


@pytest.mark.parametrize("flush", [FlushPage(1, Handle(0, 7, 0)), FlushObject(1, 0, 7)])
def test_a_flush_is_denied_only_where_its_pool_may_have_ended(flush: FlushPage | FlushObject) -> None:
    new, denied = Call(NewPool(1), 0, 0, 1), Call(flush, Raised("OSError", 19), 2, 5)
    breach = violation_in([new, denied])
    assert breach is not None
    assert breach.clause.startswith("TMEM-FLUSH-")
    assert violation_in([new, denied, Call(DestroyPool(1, 0), True, 4, 6)]) is None
    assert violation_in([new, denied, Call(DestroyPool(1, 0), True, 6, 7)]) is not None


def test_of_the_kinds_that_pools_may_have_the_likeliest_explain_what_is_wrong() -> None:
    slot, page = Handle(1, 7, 0), number(1)
    done: list[tuple[Operation, Answer]] = [
        (NewPool(1, PERSIST), 1),
        (PoolFlags(1, 1), PERSIST),
        (DestroyPool(1, 1), True),
        (NewPool(1), 1),
        (PoolFlags(1, 1), 0),
        (Put(1, slot, page), True),
        (Get(1, slot), page),
        (Get(1, slot), page),
    ]
    breach = violation_in([Call(*each, 2 * n, 2 * n + 1) for n, each in enumerate(done)])
    assert breach is not None
    assert (breach.clause, breach.call) == ("TMEM-GET-2", 7)
