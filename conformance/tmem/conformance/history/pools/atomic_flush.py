"""Flush object as one instant for the whole object, where a backend claims it (`atomic-flush`).

Only some instants matter to one flush: it can be moved later until its end, until a forward zone of a slot of
the object begins, or until a miss ends that it may explain. Where pages may vanish, misses need no
explanation, and the last instant outside of all forward zones is as good as any.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import inf
from typing import Final

from tmem.conformance.history.calls import Call, Name, Perhaps, end_of
from tmem.conformance.history.partition import SlotCalls
from tmem.conformance.history.pools.pool_calls import Chosen, Flush, Instant
from tmem.conformance.history.slot.clusters import FIRST_END, LAST_BEGIN, Interval
from tmem.conformance.history.slot.decide import SlotHistory
from tmem.conformance.history.slot.lifetimes import Lifetime, Lifetimes
from tmem.conformance.history.slot.misses import demands
from tmem.conformance.history.slot.zones import Busy, forward
from tmem.spec.slot import Kind

ALWAYS: Final = Lifetimes([Lifetime(-inf, inf, Kind(persistent=True))])
NEAR: Final = 64
"""How many misses around a flush are looked at to guess its instant."""


def flushes_of(target: Name, calls: SlotCalls) -> Iterator[Flush]:
    """The flushes of an object that took effect, or may have."""
    for call in calls.emptied:
        yield Flush(target[:2], target[2], Perhaps(call.begin, end_of(call), call), sure=True)
    for unsure in calls.maybe_emptied:
        yield Flush(target[:2], target[2], unsure, sure=False)


class FlushTimes:
    """The instants that matter to the flushes of one object, by what is in its slots.

    Where it is not `certain` which calls meet in a slot, all their begins and ends may matter.
    """

    def __init__(self, slots: Sequence[SlotHistory], persistent: bool, certain: bool) -> None:
        spans: list[Interval] = []
        points: set[float] = set()
        self._needs: list[Interval] = []
        self._certain = certain and not any(slot.clusters.repeated for slot in slots)
        for slot in slots:
            if not self._certain:
                points.update(slot.calls.times())
            spans += ((zone[FIRST_END], zone[LAST_BEGIN]) for zone in slot.clusters.zones)
            if persistent:
                points.update(end for _, end in (*slot.clusters.misses, *slot.clusters.denied))
                self._needs += _needs(slot)
        self._busy = _united(sorted(span for span in spans if span[0] < span[1]))
        self._points = sorted({*points, *self._busy.starts} - {inf})
        self._needs.sort(key=lambda need: need[1])
        self._times: dict[int, list[float]] = {}

    def guess(self, flushes: Iterable[Flush]) -> None:
        """Put the likeliest instant of each flush first: one that explains most of what is unexplained."""
        ends = [end for _, end in self._needs]
        met = bytearray(len(ends))
        for flush in sorted(flushes, key=lambda flush: flush.high):
            first = bisect_left(ends, flush.low)
            near = [n for n in range(first, min(first + NEAR, len(ends))) if not met[n]]
            times = sorted(self._between(flush.low, flush.high), key=partial(self._unlikely, near))
            self._times[id(flush.call.call)] = times
            for n in near:
                met[n] = self._needs[n][0] <= times[0] <= self._needs[n][1]

    def choices(self, flush: Flush) -> Iterator[Chosen]:
        """The instants at which a flush may have happened, the likeliest first; or that it did not."""
        if not flush.sure:
            yield Chosen((), live=False)
        for time in self._times[id(flush.call.call)]:
            yield Chosen((Instant(time, flush.name, flush.call.call),), live=False)

    def _unlikely(self, near: list[int], time: float) -> tuple[bool, int, float]:
        explained = sum(self._needs[n][0] <= time <= self._needs[n][1] for n in near)
        return self._busy.around(time) >= 0, -explained, -time

    def _between(self, low: float, high: float) -> set[float]:
        points = self._points[bisect_left(self._points, low) : bisect_right(self._points, high)]
        last = self._busy.latest(high) if high < inf else low
        times = {low, *points, max(low, last)}
        if not self._certain:
            return times
        return {time for time in times if self._busy.around(time) < 0} or {low}


def _needs(slot: SlotHistory) -> list[Interval]:
    # The misses of a slot that its own flushes and failed puts do not explain.
    zones = slot.clusters.zones
    busy = forward(zones, ALWAYS)
    wanted = demands(slot.clusters, zones, busy, ALWAYS) if isinstance(busy, Busy) else busy
    if not isinstance(wanted, list):
        return []
    ends = sorted(end for _, end in slot.clusters.emptied)
    ends.append(inf)
    return [(since, until) for since, until in wanted if ends[bisect_left(ends, since)] > until]


def _united(spans: list[Interval]) -> Busy:
    busy = Busy([], [])
    for start, stop in spans:
        if busy.stops and start < busy.stops[-1]:
            busy.stops[-1] = max(busy.stops[-1], stop)
        else:
            busy.starts.append(start)
            busy.stops.append(stop)
    return busy


def at_instants(instants: Iterable[Instant], calls: SlotCalls) -> Iterator[tuple[Call, Call]]:
    """The flushes to which instants were given, as calls that take just that instant, and as they were."""
    given = {id(instant.what): instant.time for instant in instants}
    for call in (*calls.emptied, *(unsure.call for unsure in calls.maybe_emptied)):
        if id(call) in given:
            yield call._replace(begin=given[id(call)], end=given[id(call)], answer=True), call
