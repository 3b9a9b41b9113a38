"""One order in which the calls of a slot can have happened, with a moment for each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Page, effect, until
from tmem.conformance.history.slot.clusters import Conflict, Interval
from tmem.conformance.history.slot.decide import Slot
from tmem.conformance.history.slot.frontier import Budget, explore
from tmem.conformance.history.slot.misses import demands, serve
from tmem.conformance.history.slot.pool_lifetimes import Eras, clipped
from tmem.conformance.history.slot.zones import Busy, forward
from tmem.spec.slot import Does, Kind

Step: TypeAlias = tuple[float, Call | Kind | None]
"""A moment, and what took effect: a call, the making of a pool of some kind, or (None) its end."""


class Order(NamedTuple):
    """How the calls of one slot can have happened; those that need not have happened may be missing."""

    slot: tuple[Page, ...]
    steps: list[Step]


class Placed(NamedTuple):
    """A step with what puts it in order: the time, the life of the pool, the phase, and its cluster."""

    time: float
    life: int
    phase: int
    cluster: float
    turn: int
    what: Call | Kind | None


MADE, HIT_LAST, VALUE_FIRST, EMPTYING, MISS, VALUE_LAST, PUT_FIRST, HIT_FIRST = range(8)
"""The phases of one moment: a pool is made or ended; a forward zone stops; pages come just before something
empties the slot; gets miss; pages come that stay until something else does; a forward zone starts."""


def order_of(slot: Slot, eras: Eras, budget: Budget) -> Order:
    """An order of a slot that has one."""
    if slot.clusters.repeated:
        return Order(slot.name, _explored(slot, eras, budget))
    zones = clipped(slot.zones(), eras)
    busy = forward(zones, eras) if not isinstance(zones, Conflict) else zones
    if isinstance(zones, Conflict) or isinstance(busy, Conflict):
        raise ValueError("the slot is in conflict")
    wanted = demands(slot.clusters, zones, busy, eras) if eras.persistent else []
    pages = list(_pages(slot.calls))
    emptyings = [*_emptyings(slot, {id(put) for put, _ in pages}), *((end, None) for end in eras.ends())]
    moments = serve(wanted if isinstance(wanted, list) else [], busy, [interval for interval, _ in emptyings])
    if isinstance(moments, Conflict):
        raise ValueError("the slot is in conflict")
    emptied = sorted(moment for moment in moments if moment is not None)
    placed = [step for put, hits in pages for step in _placed(put, hits, eras, busy, emptied)]
    for (_, call), moment in zip(emptyings, moments, strict=True):
        if call is not None and moment is not None:
            placed.append(Placed(moment, _life(eras, moment), EMPTYING, 0, 0, call))
    placed += _gets(slot.calls, eras, busy, emptied)
    for n, (start, stop, kind) in enumerate(zip(eras.starts, eras.stops, eras.kinds, strict=True)):
        placed.append(Placed(start, 2 * n, MADE, 0, 0, kind))
        if stop != inf:
            placed.append(Placed(stop, 2 * n + 1, MADE, 0, 0, None))
    return Order(slot.name, [(step.time, step.what) for step in sorted(placed, key=lambda step: step[:5])])


def _explored(slot: Slot, eras: Eras, budget: Budget) -> list[Step]:
    explored = explore([*slot.calls, *slot.flushes.calls], eras, budget)
    if isinstance(explored, Conflict):
        raise ValueError("the slot is in conflict")
    step = next(iter(explored.values()))
    steps: list[Step] = []
    while step is not None:
        steps.append((step.time, step.what))
        step = step.before
    return steps[::-1]


def _pages(calls: Iterable[Call]) -> Iterator[tuple[Call, list[Call]]]:
    # Each put with its hits. A put of which nothing is known has stored the page if it was hit.
    hits: dict[Page, list[Call]] = {}
    puts: list[Call] = []
    for call in calls:
        happened = effect(call)
        if happened is Does.HIT:
            hits.setdefault(call.answer, []).append(call)
        elif happened is Does.STORED or (happened is None and call.op == "put"):
            puts.append(call)
    for put in puts:
        if effect(put) is Does.STORED or put.args[4] in hits:
            yield put, hits.get(put.args[4], [])


def _emptyings(slot: Slot, stored: set[int]) -> Iterator[tuple[Interval, Call]]:
    for call in [*slot.calls, *slot.flushes.calls]:
        happened = effect(call)
        if id(call) in stored or call.op == "get" or happened is Does.NOTHING:
            continue
        yield (call.begin, until(call)), call


def _placed(put: Call, hits: list[Call], eras: Eras, busy: Busy, emptied: list[float]) -> Iterator[Placed]:
    first_end = min(until(call) for call in (put, *hits))
    last_begin = max(call.begin for call in (put, *hits))
    home = eras.home(first_end, last_begin, len(hits))
    low, high = min(first_end, eras.stops[home]), max(last_begin, eras.starts[home])
    life = 2 * home
    if low < high:
        yield Placed(low, life, PUT_FIRST, 0, 0, put)
        for hit in hits:
            time = max(hit.begin, low)
            yield Placed(time, life, HIT_FIRST if time == low else HIT_LAST, 0, 0, hit)
        return
    time, phase = busy.latest(low), VALUE_LAST
    n = bisect_left(emptied, high)
    if n < len(emptied) and emptied[n] <= time:
        time, phase = emptied[n], VALUE_FIRST
    for turn, call in enumerate((put, *hits)):
        yield Placed(time, life, phase, id(put), turn, call)


def _gets(calls: Iterable[Call], eras: Eras, busy: Busy, emptied: list[float]) -> Iterator[Placed]:
    for call in calls:
        if effect(call) not in (Does.MISS, Does.DENIED) or call.end is None:
            continue
        time = busy.latest(call.end)
        if not eras.ephemeral_throughout(call.begin, call.end):
            n = bisect_left(emptied, call.begin)
            time = emptied[n] if n < len(emptied) and emptied[n] <= call.end else call.begin
        yield Placed(time, _life(eras, time), MISS, 0, 0, call)


def _life(eras: Eras, time: float) -> int:
    # Even numbers are lives, odd ones the times between.
    n = bisect_right(eras.starts, time) - 1
    return 2 * n if n < 0 or eras.stops[n] > time else 2 * n + 1
