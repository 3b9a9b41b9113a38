"""A linearization of a slot that has one: an order of its calls, each with the instant of its effect."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Name, Page, Perhaps, end_of, page_of
from tmem.conformance.history.partition import SlotCalls
from tmem.conformance.history.slot.budget import Budget
from tmem.conformance.history.slot.clusters import Conflict
from tmem.conformance.history.slot.decide import SlotHistory
from tmem.conformance.history.slot.frontier import explore
from tmem.conformance.history.slot.lifetimes import Lifetimes
from tmem.conformance.history.slot.misses import demands, serve
from tmem.conformance.history.slot.trail import endless_of, instants
from tmem.conformance.history.slot.zones import Busy, clipped, forward
from tmem.spec.slot import Kind

Effect: TypeAlias = tuple[float, Call | Kind | None]
"""An instant and what took effect: a call, the making of a pool of some kind, or (None) its end."""


class Linearization(NamedTuple):
    """How the calls of one slot can have happened. Calls that need not have happened may be missing."""

    slot: Name
    effects: list[Effect]


class Placed(NamedTuple):
    """An effect with what puts it in order.

    `lifetime` is even in a lifetime of the pool and odd between two. Calls of one cluster stay together, in
    the order of `turn`.
    """

    time: float
    lifetime: int
    phase: int
    cluster: int
    turn: int
    what: Call | Kind | None


MADE, HIT_LAST, VALUE_FIRST, EMPTYING, MISS, VALUE_LAST, PUT_FIRST, HIT_FIRST = range(8)
"""The phases of one instant: a pool is made or ends; a forward zone stops; pages come just before something
empties the slot; gets miss; pages come that stay until something else does; a forward zone starts."""


class Cluster(NamedTuple):
    """A put with its hits, and when it can have taken effect."""

    number: int
    put: Call
    end: float
    hits: list[Call]


def linearize(slot: SlotHistory, lifetimes: Lifetimes, budget: Budget) -> Linearization:
    """A linearization of a slot that has one. Raises Spent."""
    if slot.clusters.repeated:
        return Linearization(slot.name, _explored(slot, lifetimes, budget))
    zones = clipped(slot.clusters.zones, lifetimes)
    busy = forward(zones, lifetimes) if not isinstance(zones, Conflict) else zones
    if isinstance(zones, Conflict) or isinstance(busy, Conflict):
        raise ValueError("the slot is in conflict")
    wanted = demands(slot.clusters, zones, busy, lifetimes) if lifetimes.persistent else []
    clusters = list(_clusters(slot.calls))
    emptyings = list(_emptyings(slot, {id(cluster.put) for cluster in clusters}))
    intervals = [(begin, end) for begin, end, _ in emptyings]
    served = serve(wanted if isinstance(wanted, list) else [], busy, [*intervals, *lifetimes.ends()])
    if isinstance(served, Conflict):
        raise ValueError("the slot is in conflict")
    emptied = sorted(time for time in served if time is not None)
    placed = [each for cluster in clusters for each in _placed(cluster, lifetimes, busy, emptied)]
    for (_, _, call), time in zip(emptyings, served, strict=False):
        if time is not None:
            placed.append(Placed(time, _lifetime(lifetimes, time), EMPTYING, 0, 0, call))
    placed += _gets(slot.calls.misses, lifetimes, busy, emptied)
    placed += _denied(slot.calls.denied, lifetimes, busy, emptied)
    for n, (start, stop, kind, _) in enumerate(lifetimes.each):
        placed.append(Placed(start, 2 * n, MADE, 0, 0, kind))
        if stop != inf:
            placed.append(Placed(stop, 2 * n + 1, MADE, 0, 0, None))
    placed.sort(key=lambda each: each[:5])
    return Linearization(slot.name, [(each.time, each.what) for each in placed])


def _explored(slot: SlotHistory, lifetimes: Lifetimes, budget: Budget) -> list[Effect]:
    explored = explore(slot.calls, slot.flushes.calls, lifetimes, budget)
    if isinstance(explored, Conflict):
        raise ValueError("the slot is in conflict")
    _, trail = next(iter(explored.values()))[0]
    return instants(trail, endless_of(slot.calls, slot.flushes.calls))


def _clusters(calls: SlotCalls) -> Iterator[Cluster]:
    # A put of which nothing is known has stored its page if that was hit.
    hits: dict[Page, list[Call]] = {}
    for hit in calls.hits:
        hits.setdefault(hit.answer, []).append(hit)
    puts = [(call, end_of(call)) for call in calls.stored]
    puts += [(call, end) for _, end, call in calls.maybe_stored if page_of(call) in hits]
    for n, (put, end) in enumerate(puts):
        yield Cluster(n, put, end, hits.get(page_of(put), []))


def _emptyings(slot: SlotHistory, stored: set[int]) -> Iterator[Perhaps]:
    for calls in (slot.calls, slot.flushes.calls):
        for call in calls.emptied:
            yield Perhaps(call.begin, end_of(call), call)
        for unsure in calls.unsure:
            if id(unsure.call) not in stored:
                yield unsure


def _placed(cluster: Cluster, lifetimes: Lifetimes, busy: Busy, emptied: list[float]) -> Iterator[Placed]:
    number, put, end, hits = cluster
    first_end = min([end, *map(end_of, hits)])
    last_begin = max(call.begin for call in (put, *hits))
    home = lifetimes.with_room(first_end, last_begin, len(hits))
    low, high = min(first_end, lifetimes.stops[home]), max(last_begin, lifetimes.starts[home])
    lifetime = 2 * home
    if low < high:
        yield Placed(low, lifetime, PUT_FIRST, 0, 0, put)
        for hit in hits:
            time = max(hit.begin, low)
            yield Placed(time, lifetime, HIT_FIRST if time == low else HIT_LAST, 0, 0, hit)
        return
    time, phase = busy.latest(low), VALUE_LAST
    n = bisect_left(emptied, high)
    if n < len(emptied) and emptied[n] <= time:
        time, phase = emptied[n], VALUE_FIRST
    for turn, call in enumerate((put, *hits)):
        yield Placed(time, lifetime, phase, number, turn, call)


def _gets(calls: Iterable[Call], lifetimes: Lifetimes, busy: Busy, emptied: list[float]) -> Iterator[Placed]:
    for call in calls:
        time = busy.latest(end_of(call))
        if not lifetimes.ephemeral_throughout(call.begin, end_of(call)):
            n = bisect_left(emptied, call.begin)
            time = emptied[n] if n < len(emptied) and emptied[n] <= end_of(call) else call.begin
        yield Placed(time, _lifetime(lifetimes, time), MISS, 0, 0, call)


def _denied(
    calls: Iterable[Call], lifetimes: Lifetimes, busy: Busy, emptied: list[float]
) -> Iterator[Placed]:
    # Of an ephemeral page that is there a get may be denied, at any instant.
    for call in calls:
        if lifetimes.ephemeral_throughout(call.begin, end_of(call)):
            yield Placed(call.begin, _lifetime(lifetimes, call.begin), MISS, 0, 0, call)
        else:
            yield from _gets([call], lifetimes, busy, emptied)


def _lifetime(lifetimes: Lifetimes, time: float) -> int:
    n = bisect_right(lifetimes.starts, time) - 1
    return 2 * n if n < 0 or lifetimes.stops[n] > time else 2 * n + 1
