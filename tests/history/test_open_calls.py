"""Histories with any number of calls that never return are decided exactly, in states linear in the calls."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from bench.histories import as_checked
from tmem.conformance.history.calls import Call, call_of
from tmem.conformance.history.checker import Illegal, Legal, Result, check
from tmem.conformance.history.slot.certificate import objection
from tmem.conformance.history.slot.open_calls import OpenCalls
from tmem.spec import history as spec
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.history import linearizable
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Raised,
)

SLOT = (1, 0, 7, 0)
STATES_PER_CALL = 4
"""The most states for each call where the calls that return do not overlap."""


def small_with_open_calls(draw: random.Random) -> list[spec.Call]:
    """A few calls on one slot, more than half of which never return; pages repeat."""
    handle, pages = Handle(0, 7, 0), [b"a", b"b", b"c"][: draw.choice((1, 2, 2, 3))]
    flags, uuid = draw.choice(
        ((PERSIST, None), (PERSIST, None), (0, None), (SHARED, 5), (SHARED | PERSIST, 5))
    )
    calls = [spec.Call(NewPool(1, flags, uuid), 0, 0, 1)]
    now = 2
    for _ in range(draw.randint(2, 5)):
        put, flush = (
            Put(1, handle, draw.choice(pages)),
            draw.choice((FlushPage(1, handle), FlushObject(1, 0, 7))),
        )
        operation: Operation = draw.choice((put, put, put, put, flush))
        begin = now + draw.randrange(12)
        if draw.random() < 0.2:  # the outcome is not known, though it returned
            calls.append(spec.Call(operation, Raised("KeyError"), begin, begin + draw.randrange(4)))
        else:
            calls.append(spec.Call(operation, None, begin, None))
    for _ in range(draw.randint(1, 4)):
        now += draw.randrange(1, 5)
        answer: Answer = draw.choice((None, draw.choice(pages), draw.choice(pages)))
        operation, end = Get(1, handle), now + draw.choice((0, 0, 1, 4))
        chance = draw.random()
        if chance < 0.15:
            operation, answer = Put(1, handle, draw.choice(pages)), draw.random() < 0.8
        elif chance < 0.2:
            operation, answer = FlushPage(1, handle), True
        elif chance < 0.25:
            operation, answer = DestroyPool(1, 0), True
            calls.append(spec.Call(NewPool(1, flags, uuid), 0, end + 1, end + 2))
        calls.append(spec.Call(operation, answer, now, end))
    return calls


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 6))])
def test_agrees_with_the_definition(seed: int) -> None:
    draw = random.Random(seed)
    legal = illegal = 0
    for _ in range(400):
        history = small_with_open_calls(draw)
        calls = [call_of(n, c.begin, c.end, c.operation, c.answer) for n, c in enumerate(history)]
        result = check(calls)
        assert isinstance(result, Legal) == linearizable(as_checked(history)), "\n".join(map(str, calls))
        if isinstance(result, Legal):
            legal += 1
            assert [text for each in result.linearizations() if (text := objection(each))] == []
        else:
            illegal += 1
            assert isinstance(result, Illegal)
    assert min(legal, illegal) > 80


def can_be_served(begun: list[str], needs: list[tuple[int, str]]) -> bool:
    """Whether each need can be matched with a different call that began before it and has the needed page."""
    serves: dict[int, int] = {}

    def serve(need: int, tried: set[int]) -> bool:
        count, page = needs[need]
        for call in range(count):
            if call not in tried and page in ("any", begun[call]):
                tried.add(call)
                if call not in serves or serve(serves[call], tried):
                    serves[call] = need
                    return True
        return False

    return all(serve(need, set()) for need in range(len(needs)))


def test_open_calls_serve_a_need_exactly_if_a_matching_exists() -> None:
    draw = random.Random(3)
    refused = 0
    for _ in range(3_000):
        opens = OpenCalls()
        begun: list[str] = []
        needs: list[tuple[int, str]] = []
        for _ in range(draw.randrange(4, 24)):
            if draw.random() < 0.55:
                begun.append(draw.choice("aabcf"))
                opens = opens.with_flush() if begun[-1] == "f" else opens.with_put(ord(begun[-1]))
                continue
            page = draw.choice(["a", "b", "c", "any", "any"])
            taken = opens.taken_by_miss() if page == "any" else opens.taken_by_hit(ord(page))
            possible = can_be_served(begun, [*needs, (len(begun), page)])
            assert (taken is not None) == possible, (begun, needs, page)
            if taken is None:
                refused += 1
            else:
                opens = taken
                needs.append((len(begun), page))
    assert refused > 3_000


def crashed(draw: random.Random, puts: int, pages: int, flags: int, misses: float = 0.0) -> list[Call]:
    """A legal history of puts that never return but take effect later, each of which a get shows."""
    calls = [Call(0, 0, 1, "new_pool", (1, flags, None), 0)]
    waiting: list[str] = []
    now, begun = 2, 0
    while begun < puts or waiting:
        if begun < puts and (not waiting or draw.random() < 0.5):
            waiting.append(f"p{draw.randrange(pages)}")
            calls.append(Call(1_000 + begun, now, None, "put", (*SLOT, waiting[-1]), None))
            begun += 1
            now += 1
            continue
        page = waiting.pop(draw.randrange(len(waiting)))
        failed = draw.random() < misses
        calls.append(Call(1, now, now + 1, "get", SLOT, None if failed else page))
        now += 2
    return calls


def too_many_hits(calls: list[Call]) -> list[Call]:
    """Add hits of one page, each after a flush, so that there is one more hit than puts of the page."""
    page = next(call.args[4] for call in calls if call.op == "put")
    now = max(call.end or 0 for call in calls) + 10
    more = []
    for _ in range(1 + sum(call.op == "put" and call.args[4] == page for call in calls)):
        more.append(Call(2, now, now + 1, "flush_page", SLOT, True))
        more.append(Call(2, now + 2, now + 3, "get", SLOT, page))
        now += 4
    return calls + more


def retried(count: int) -> list[Call]:
    """Each put times out; then the host puts the same page again, and gets it."""
    calls = [Call(0, 0, 1, "new_pool", (1, PERSIST, None), 0)]
    for n in range(count):
        now = 2 + 5 * n
        calls.append(Call(1_000 + n, now, None, "put", (*SLOT, f"p{n}"), None))
        calls.append(Call(2, now + 1, now + 2, "put", (*SLOT, f"p{n}"), True))
        calls.append(Call(2, now + 3, now + 4, "get", SLOT, f"p{n}"))
    return calls


def within_budget(calls: list[Call]) -> Result:
    """The answer in a budget of states that is proportional to the number of calls."""
    return check(calls, budget=STATES_PER_CALL * len(calls))


def histories() -> Iterator[tuple[str, list[Call]]]:
    draw = random.Random(5)
    for flags in (0, PERSIST):
        for puts in (20, 300, 2_000):
            yield f"three pages, {puts} puts, flags {flags}", crashed(draw, puts, 3, flags)
            yield f"many pages, {puts} puts, flags {flags}", crashed(draw, puts, puts // 2, flags)
    for puts in (20, 300, 2_000):
        yield f"puts that failed, {puts}", crashed(draw, puts, 3, PERSIST, misses=0.2)


@pytest.mark.parametrize(("name", "calls"), [pytest.param(*each, id=each[0]) for each in histories()])
def test_any_number_of_calls_that_never_return(name: str, calls: list[Call]) -> None:
    result = within_budget(calls)
    assert isinstance(result, Legal)
    assert [text for each in result.linearizations() if (text := objection(each))] == []


@pytest.mark.parametrize("flags", [0, PERSIST])
@pytest.mark.parametrize("puts", [20, 300])
def test_a_hit_too_many_is_found(puts: int, flags: int) -> None:
    result = within_budget(too_many_hits(crashed(random.Random(puts), puts, 3, flags)))
    assert isinstance(result, Illegal)


@pytest.mark.parametrize("count", [8, 1_000, 4_000])
def test_retried_puts(count: int) -> None:
    assert isinstance(within_budget(retried(count)), Legal)


@pytest.mark.parametrize("count", [8, 100])
def test_a_put_that_timed_out_takes_effect_once(count: int) -> None:
    wrong = retried(count)
    wrong.append(Call(2, 5 * count + 3, 5 * count + 4, "flush_page", SLOT, True))
    wrong.append(Call(2, 5 * count + 5, 5 * count + 6, "get", SLOT, "p0"))
    legal = isinstance(within_budget(wrong), Legal)
    assert legal, "the put that timed out may have taken effect only now"
    again = wrong[-1]._replace(begin=5 * count + 9, end=5 * count + 10)
    flush = wrong[-2]._replace(begin=5 * count + 7, end=5 * count + 8)
    assert isinstance(check([*wrong, flush, again]), Illegal)


def at_once(rounds: int, threads: int) -> list[Call]:
    """In each round, every thread gets the page of a put that never returns, all at the same time."""
    draw = random.Random(rounds)
    calls = [Call(0, 0, 1, "new_pool", (1, PERSIST, None), 0)]
    for n in range(rounds):
        now = 2 + 20 * n
        for thread in range(threads):
            page = draw.choice("abc")
            calls.append(Call(1_000 + len(calls), now, None, "put", (*SLOT, page), None))
            calls.append(Call(thread, now + 1 + thread, now + 8 + draw.randrange(3), "get", SLOT, page))
    return calls


@pytest.mark.parametrize("rounds", [20, 200])
def test_earlier_open_puts_do_not_make_overlapping_gets_costlier(rounds: int) -> None:
    calls = at_once(rounds, threads=4)
    assert isinstance(check(calls, budget=100 * len(calls)), Legal)
    hit = next(call for call in calls if call.op == "get")
    late = [call._replace(begin=20 * rounds + 9) if call.op == "put" else call for call in calls]
    assert isinstance(check(late), Illegal)
    assert isinstance(
        check([*calls, hit._replace(begin=20 * rounds + 9, end=20 * rounds + 10, answer="d")]), Illegal
    )
