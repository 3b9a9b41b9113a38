"""What the judge counts, by which a run is known to have seen what it judges, or not."""

from __future__ import annotations

from itertools import count

import pytest

from tests.model.test_judge import (
    AT,
    BOTH,
    EINVAL,
    ENODEV,
    ENOMEM,
    EPHEMERAL,
    PERSISTENT,
    SHARED,
    SIZE,
    A,
    B,
    C,
    Steps,
    destroy,
    flush,
    flush_object,
    get,
    no_flush,
    pool,
    put,
)
from tmem.model import Judge
from tmem.spec import FlushPage, Get, Handle, Kind, NewPool, PoolFlags, Put, Raised, Reclaim
from tmem.spec.slot import Does

OUTSIDE = Handle(0, 1 << 192, 0)
EPERM = Raised("OSError", 1)
CACHE, SWAP = Kind(), Kind(persistent=True)
COMMON, BOTH_KIND = Kind(shared=True), Kind(persistent=True, shared=True)
HIT, MISS, DENIED = Does.HIT, Does.MISS, Does.DENIED
STORED, REFUSED, FLUSHED = Does.STORED, Does.REFUSED, Does.FLUSHED


def judge_of(steps: Steps) -> Judge:
    judge = Judge(SIZE)
    for operation, answer in steps:
        assert (violation := judge.observe(operation, answer)) is None, violation
    return judge


SEEN: dict[str, tuple[Steps, dict[str, int]]] = {
    "pools": (
        [pool(), destroy, pool(), pool(id=1), destroy],
        {"pool made": 2, "pool ended": 2, "pool id came back": 1},
    ),
    "another client's pool of that id": (
        [pool(), destroy, pool(client=2)],
        {"pool made": 2, "pool ended": 1},
    ),
    "refusals": (
        [
            (NewPool(1, 0x01000004), EPERM),
            (NewPool(1, 0x01000004), EPERM),
            (NewPool(1), ENOMEM),
            (NewPool(1), ENOMEM),
            (NewPool(1), ENOMEM),
        ],
        {"flags refused": 2, "new pool refused": 3},
    ),
    "dead pools": (
        [
            pool(),
            destroy,
            put(A, ENODEV),
            get(None),
            no_flush,
            (Get(1, Handle(5, 7, 3)), None),  # that one never was
            (Put(2, AT, B), False),
        ],
        {"pool made": 1, "pool ended": 1, "dead pool asked": 3},
    ),
    "bad arguments": (
        [pool(), put(b"short", EINVAL), get(EINVAL, OUTSIDE), (FlushPage(1, OUTSIDE), EINVAL)],
        {"pool made": 1, "bad argument": 3},
    ),
    "reclaim": (
        [(Reclaim(3), 2), (Reclaim(3), 0), (Reclaim(3), 0), (Reclaim(3), 0), (Reclaim(3), 1)],
        {"reclaim made progress": 2, "reclaim let nothing go": 3},
    ),
}


@pytest.mark.parametrize(("steps", "seen"), SEEN.values(), ids=SEEN)
def test_what_is_seen_is_counted(steps: Steps, seen: dict[str, int]) -> None:
    judge = judge_of(steps)
    assert {what: number for what, number in judge.record.seen.items() if number} == seen
    assert judge.record.count == len(steps)


TRANSITIONS: dict[str, tuple[Steps, dict[tuple[Kind | None, str, Does], int]]] = {
    "of a private ephemeral slot": (
        [
            *(pool(), get(None), put(A), put(B), get(B), get(None), get(None)),
            *(put(C, False), get(None), flush, flush),
        ],
        {
            (CACHE, "untouched", MISS): 1,
            (CACHE, "empty", STORED): 1,
            (CACHE, "page", STORED): 1,
            (CACHE, "replaced", HIT): 1,
            (CACHE, "TMEM-GET-2", MISS): 1,
            (CACHE, "TMEM-GET-1", MISS): 1,
            (CACHE, "empty", REFUSED): 1,
            (CACHE, "TMEM-PUT-1", MISS): 1,
            (CACHE, "empty", FLUSHED): 2,
        },
    ),
    "of a persistent slot": (
        [
            pool(PERSISTENT),
            *(put(A), get(A), get(A), put(B), get(B), get(B)),
            *(put(C, False), get(None), put(C)),
            *(flush, get(None), put(A), flush_object, get(ENODEV)),
        ],
        {
            (SWAP, "empty", STORED): 3,
            (SWAP, "page", STORED): 1,
            (SWAP, "TMEM-GET-3", HIT): 2,
            (SWAP, "replaced", HIT): 2,
            (SWAP, "page", REFUSED): 1,
            (SWAP, "failed duplicate", MISS): 1,
            (SWAP, "page", FLUSHED): 1,
            (SWAP, "TMEM-FLUSH-1", MISS): 1,
            (SWAP, "TMEM-FLUSH-2", DENIED): 1,
        },
    ),
    "of pages that may vanish": (
        [pool(), *(put(A), get(None)) * 2, put(B), put(C), get(None)],
        {
            (CACHE, "empty", STORED): 3,
            (CACHE, "page", MISS): 2,
            (CACHE, "page", STORED): 1,
            (CACHE, "replaced", MISS): 1,
        },
    ),
    "of a shared persistent slot": (
        [
            *(pool(BOTH, uuid=5), pool(BOTH, 2, 0, 5), pool(BOTH, 3, 0, 5)),
            *(put(A), get(A), get(A, client=2), destroy, get(A, client=2), get(A, client=2)),
            *(put(B, client=2), get(B, client=2), (Reclaim(1), 0), get(B, client=3)),
        ],
        {
            (BOTH_KIND, "empty", STORED): 1,
            (BOTH_KIND, "TMEM-GET-3", HIT): 1,
            (BOTH_KIND, "TMEM-SHARE-1", HIT): 1,
            (BOTH_KIND, "TMEM-SHARE-2", HIT): 2,
            (BOTH_KIND, "page", STORED): 1,
            (BOTH_KIND, "replaced", HIT): 1,
            (BOTH_KIND, "TMEM-RECLAIM-1", HIT): 1,
        },
    ),
    "of no pool": (
        [put(A, False), get(None), get(ENODEV), no_flush, no_flush],
        {
            (None, "page", REFUSED): 1,
            (None, "page", MISS): 1,
            (None, "page", DENIED): 1,
            (None, "page", FLUSHED): 2,
        },
    ),
}


@pytest.mark.parametrize(("steps", "transitions"), TRANSITIONS.values(), ids=TRANSITIONS)
def test_transitions_are_counted(steps: Steps, transitions: dict[tuple[Kind | None, str, Does], int]) -> None:
    assert dict(judge_of(steps).record.transitions) == transitions


def test_questions_about_flags_are_not_counted() -> None:
    judge = judge_of([pool(), (PoolFlags(1, 0), EPHEMERAL), put(A), (PoolFlags(1, 0), EPHEMERAL)])
    assert judge.record.count == 2


def test_a_pool_that_is_told_to_be_private_is_shared_with_nobody() -> None:
    steps = [pool(SHARED, uuid=5), (PoolFlags(1, 0), EPHEMERAL), pool(SHARED, 2, 0, 5), put(A)]
    judge = judge_of(steps)
    mine, yours = judge.record.member(1, 0), judge.record.member(2, 0)
    assert mine is not None
    assert yours is not None
    assert (mine.kind, mine.pool.users) == (CACHE, 1)
    assert (yours.kind, yours.pool.users) == (COMMON, 1)
    assert mine.pool is not yours.pool
    assert judge.record.may_hold(2, AT).page is None


def test_a_pool_that_is_told_as_it_was_asked_for_stays_shared() -> None:
    judge = judge_of([pool(SHARED, uuid=5), (PoolFlags(1, 0), SHARED), pool(SHARED, 2, 0, 5), put(A)])
    assert judge.record.may_hold(2, AT).page == A
    assert judge.record.seen["pool ended"] == 0


def test_pools_are_numbered_as_they_are_made() -> None:
    judge = Judge(SIZE)
    numbers = []
    for id in range(3):
        judge.observe(*pool(id=id))
        member = judge.record.member(1, id)
        assert member is not None
        numbers.append(member.pool.number)
    assert numbers == [number for number, _ in zip(count(1), range(3))]


def test_the_last_sharer_to_leave_ends_the_pool() -> None:
    judge = judge_of([pool(SHARED, uuid=5), pool(SHARED, 2, 0, 5), put(A), destroy])
    left = judge.record.member(2, 0)
    assert left is not None
    assert (left.pool.users, left.pool.left) == (1, judge.record.count)
    assert judge.record.may_hold(2, AT).page == A
    assert judge.record.ids() == {(1, 0), (2, 0)}


def test_the_pool_of_a_uuid_that_ended_is_another_one_when_it_is_made_anew() -> None:
    numbers = []
    judge = Judge(SIZE)
    for step in (pool(SHARED, uuid=5), destroy) * 2:
        judge.observe(*step)
        if member := judge.record.member(1, 0):
            numbers.append(member.pool.number)
    assert numbers == [1, 2]
