"""Pool ids with lifetimes of several kinds, private and shared: right answers pass, wrong ones do not."""

from __future__ import annotations

import random

import pytest

from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Illegal, Legal, Unknown, check
from tmem.conformance.history.slot.certificate import objection
from tmem.model.adversary import Adversary
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.operations import Raised

SLOT = (1, 0, 7, 3)
ENDED = Raised("OSError", 19)


def answer_of(store: Adversary, op: str, args: tuple[object, ...]) -> object:
    try:
        return getattr(store, op)(*args)
    except OSError as error:
        return Raised.of(error)


def history(draw: random.Random, count: int, width: int) -> list[Call]:
    """What the adversary answers to two clients, whose pools of any kind come and go under few ids."""
    store = Adversary("random", page_size=8, seed=draw.randrange(1 << 30))
    ids = {1: {0}, 2: {0}}
    calls: list[Call] = []
    now = 0

    def do(op: str, args: tuple[object, ...]) -> object:
        answer = answer_of(store, op, args)
        begin, end = (
            (now, now) if op == "pool_flags" else (now - draw.randrange(width), now + draw.randrange(width))
        )
        calls.append(Call(client, begin, end, op, args, answer))
        return answer

    for number in range(count):
        now += draw.choice((1, 2, 4))
        client = draw.choice((1, 2))
        pool = draw.choice(sorted(ids[client]))
        slot = (client, pool, 7, draw.randrange(2))
        chance = draw.random()
        if chance < 0.12:
            do("destroy_pool", (client, pool))
        elif chance < 0.25:
            flags = draw.choice((0, PERSIST, SHARED, SHARED | PERSIST))
            granted = do("new_pool", (client, flags, draw.choice((5, 5, 6))))
            if type(granted) is int:
                ids[client].add(granted)
                now += width  # so that it is certain of which pool the flags are
                do("pool_flags", (client, granted))
        elif chance < 0.55:
            do("put", (*slot, number.to_bytes(8, "big")))
        elif chance < 0.87:
            do("get", slot)
        elif chance < 0.95:
            do("flush_page", slot)
        else:
            do("flush_object", slot[:3])
    return calls


@pytest.mark.parametrize("width", [1, 3, 8])
def test_no_alarm_at_the_adversary(width: int) -> None:
    draw = random.Random(width)
    undecided = 0
    for _ in range(60):
        result = check(history(draw, 100, width))
        assert not isinstance(result, Illegal), (result.clause, *map(str, result.window))
        undecided += isinstance(result, Unknown)
        if isinstance(result, Legal):
            assert [text for order in result.linearizations() if (text := objection(order))] == []
    assert undecided <= 6


def lifetimes(*kinds: tuple[int, int | None], last: tuple[Call, ...]) -> list[Call]:
    """An id of client 1 that stood for pools of these kinds, one after the other; calls in the last."""
    calls = []
    for n, (flags, uuid) in enumerate(kinds):
        calls.append(Call(0, 4 * n, 4 * n + 1, "new_pool", (1, flags, uuid), 0))
        calls.append(Call(0, 4 * n + 2, 4 * n + 3, "destroy_pool", (1, 0), True))
    return [*calls[:-1], *last]


PUT = Call(0, 50, 51, "put", (*SLOT, "page"), True)
HIT, AGAIN = (Call(0, begin, begin + 1, "get", SLOT, "page") for begin in (52, 54))
MISS = Call(0, 53.2, 53.4, "get", SLOT, None)
SHARED_LIFETIME, EPHEMERAL, PERSISTENT = (SHARED, 5), (0, None), (PERSIST, None)


@pytest.mark.parametrize("before", [[SHARED_LIFETIME, EPHEMERAL], [EPHEMERAL, SHARED_LIFETIME], [EPHEMERAL]])
def test_a_persistent_lifetime_keeps_its_pages(
    before: list[tuple[int, int | None]],
) -> None:
    assert isinstance(check(lifetimes(*before, PERSISTENT, last=(PUT, HIT, AGAIN))), Legal)
    gone = check(lifetimes(*before, PERSISTENT, last=(PUT, HIT, MISS)))
    assert isinstance(gone, Illegal)
    assert gone.clause == "TMEM-GET-3"


@pytest.mark.parametrize(
    "before", [[SHARED_LIFETIME, PERSISTENT], [PERSISTENT, SHARED_LIFETIME], [PERSISTENT]]
)
def test_an_ephemeral_lifetime_gives_its_pages_once(before: list[tuple[int, int | None]]) -> None:
    assert isinstance(check(lifetimes(*before, EPHEMERAL, last=(PUT, MISS))), Legal)
    twice = check(lifetimes(*before, EPHEMERAL, last=(PUT, HIT, AGAIN)))
    assert isinstance(twice, Illegal)
    assert twice.clause == "TMEM-GET-2"


def test_a_miss_ends_an_ephemeral_page_after_a_persistent_lifetime() -> None:
    miss = MISS._replace(begin=51.2, end=51.4)
    result = check(lifetimes(PERSISTENT, EPHEMERAL, last=(PUT, miss, HIT)))
    assert isinstance(result, Illegal)
    assert result.clause == "TMEM-GET-1"


ASKED = Call(0, 0, 1, "new_pool", (1, 0, None), 0)


def test_pool_flags_count_where_they_differ_from_what_was_asked_for() -> None:
    flags = Call(0, 2, 3, "pool_flags", (1, 0), PERSIST)
    assert isinstance(check([ASKED, flags, PUT, HIT, AGAIN]), Legal)
    assert isinstance(check([ASKED, PUT, HIT, AGAIN]), Illegal)


@pytest.mark.parametrize("level", ["linearizable", "integrity"])
def test_no_verdict_if_it_is_not_certain_which_pool_the_flags_are_of(level: str) -> None:
    end, anew = Call(0, 2, 9, "destroy_pool", (1, 0), True), Call(1, 3, 8, "new_pool", (1, 0, None), 0)
    flags = Call(2, 4, 5, "pool_flags", (1, 0), PERSIST)
    assert not isinstance(check([ASKED, end, anew, flags, PUT, HIT, AGAIN], level=level), Illegal)
    same = flags._replace(answer=0)
    assert isinstance(check([ASKED, end, anew, same, PUT, HIT, AGAIN], level=level), Illegal)


def legal(*calls: tuple[float, float, str, tuple[object, ...], object]) -> bool:
    return isinstance(check([Call(0, *call) for call in calls]), Legal)


def test_a_join_may_come_after_a_call_that_found_no_pool() -> None:
    for flags, late in (
        (SHARED, ("put", (2, 0, 7, 3, "other"), False)),
        (SHARED | PERSIST, ("get", (2, 0, 7, 3), None)),
    ):
        assert legal(
            (3, 3, "new_pool", (1, flags, 5), 0),
            (5, 9, "new_pool", (2, flags, 5), 0),
            (4, 4.5, "put", (*SLOT, "page"), True),
            (6, 10, *late),
            (11, 12, "get", SLOT, "page"),
        )


def test_a_sharer_may_have_left_before_its_last_call() -> None:
    assert legal(
        (0, 0, "new_pool", (1, SHARED, 5), 0),
        (1, 1, "new_pool", (2, SHARED, 5), 0),
        (2, 3, "put", (*SLOT, "page"), True),
        (4, 10, "destroy_pool", (2, 0), True),
        (5, 6, "put", (2, 0, 7, 3, "other"), False),
        (11, 12, "get", SLOT, "page"),
    )


@pytest.mark.parametrize(
    ("op", "args", "clause"),
    [("flush_page", SLOT, "TMEM-FLUSH-1"), ("flush_object", SLOT[:3], "TMEM-FLUSH-2")],
)
@pytest.mark.parametrize(("flags", "uuid"), [EPHEMERAL, SHARED_LIFETIME])
def test_a_flush_is_denied_only_while_there_is_no_pool(
    op: str, args: tuple[object, ...], clause: str, flags: int, uuid: int | None
) -> None:
    new = Call(0, 0, 1, "new_pool", (1, flags, uuid), 0)
    joined = Call(1, 0, 1, "new_pool", (2, flags, uuid), 0)  # so that the pool is a shared one
    flush = Call(0, 2, 4, op, args, ENDED)
    result = check([new, joined, PUT, flush])
    assert isinstance(result, Illegal)
    assert (result.clause, result.window) == (clause, (new, flush))
    for end, anew in ((3, 5), (1.5, 3), (1.5, 2)):
        destroy = Call(1, 1.5, end, "destroy_pool", (1, 0), True)
        again = Call(1, end, anew, "new_pool", (1, flags, uuid), 0)
        assert isinstance(check([new, joined, destroy, again, PUT, flush]), Legal)
    assert isinstance(check([new._replace(end=2), joined, PUT, flush]), Legal)
    assert isinstance(check([new, joined, PUT, flush._replace(answer=Raised("KeyError"))]), Legal)
    out_of_range = (*args[:2], 1 << 192, *args[3:])
    assert isinstance(check([new, joined, flush._replace(args=out_of_range)]), Legal)


def test_a_page_that_was_hit_twice_was_in_the_lifetime_that_allows_it() -> None:
    assert legal(
        (0, 0, "new_pool", (1, 0, None), 0),
        (9, 11, "destroy_pool", (1, 0), True),
        (7, 13, "new_pool", (1, PERSIST, None), 0),
        (8, 15, "put", (*SLOT, "page"), True),
        (5, 12, "get", SLOT, "page"),
        (8, 12, "get", SLOT, "page"),
    )


def test_trying_the_lifetimes_of_a_shared_pool_costs_states() -> None:
    shared = [
        Call(1, 0, 1, "new_pool", (1, SHARED, 5), 0),
        Call(2, 2, 3, "new_pool", (2, SHARED, 5), 0),
        Call(1, 4, 5, "destroy_pool", (1, 0), True),
        Call(1, 6, 7, "put", (*SLOT, "page"), True),  # no slot is looked at: the put has no pool
    ]
    assert isinstance(check(shared), Illegal)
    assert isinstance(check(shared, budget=0), Unknown)
