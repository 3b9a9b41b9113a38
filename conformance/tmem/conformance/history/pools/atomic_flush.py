"""Flush object as one moment for the whole object, where a backend claims it (`atomic-flush`).

Of one flush only some moments matter: it can be moved later until its end, until a forward zone of a slot
of the object begins, or until a miss ends that it may explain. Where pages may vanish, misses need no
explanation, and the last moment outside of all forward zones is as good as any.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from math import inf
from typing import Final, NamedTuple

from tmem.conformance.history.calls import Call, effect, until
from tmem.conformance.history.partition import Name
from tmem.conformance.history.pools.pool_calls import Moment, Untied
from tmem.conformance.history.slot.clusters import FIRST_END, LAST_BEGIN, Interval
from tmem.conformance.history.slot.decide import Slot
from tmem.conformance.history.slot.misses import demands
from tmem.conformance.history.slot.pool_lifetimes import Era, Eras
from tmem.conformance.history.slot.zones import Busy, forward
from tmem.spec.slot import Does, Kind

ALWAYS: Final = Eras([Era(-inf, inf, Kind(persistent=True))])
NEAR: Final = 64
"""How many misses around a flush are looked at to guess its moment."""


class Flush(NamedTuple):
    """A flush object whose moment is to be chosen; like a knot of pool calls, but on its own."""

    name: Name
    call: Call
    low: float
    high: float
    before: int = -1
    wavers: bool = False
    makes: bool = False


def flushes_of(name: Name, calls: Iterable[Call]) -> Iterator[Flush]:
    """The flushes among these calls that may have taken effect."""
    for call in calls:
        if effect(call) is not Does.NOTHING:
            yield Flush(name, call, call.begin, until(call))


class Moments:
    """The moments that matter to the flushes of one object, by what is in its slots.

    Where it is not `certain` which calls meet in a slot, all their begins and ends may matter.
    """

    def __init__(self, slots: Sequence[Slot], persistent: bool, certain: bool) -> None:
        spans: list[Interval] = []
        points: set[float] = set()
        self._needs: list[Interval] = []
        self._certain = certain and not any(slot.clusters.repeated for slot in slots)
        for slot in slots:
            if not self._certain:
                points.update(time for call in slot.calls for time in (call.begin, until(call)))
            spans += ((zone[FIRST_END], zone[LAST_BEGIN]) for zone in slot.zones())
            if persistent:
                points.update(end for _, end in (*slot.clusters.misses, *slot.clusters.denied))
                self._needs += _needs(slot)
        self._busy = _united(sorted(span for span in spans if span[0] < span[1]))
        self._points = sorted({*points, *self._busy.starts} - {inf})
        self._needs.sort(key=lambda need: need[1])
        self._times: dict[int, list[float]] = {}

    def guess(self, flushes: Iterable[Flush]) -> None:
        """Put the likeliest moment of each flush first: one that explains most of what is unexplained."""
        ends = [end for _, end in self._needs]
        met = bytearray(len(ends))
        for flush in sorted(flushes, key=lambda flush: flush.high):
            first = bisect_left(ends, flush.low)
            near = [n for n in range(first, min(first + NEAR, len(ends))) if not met[n]]
            times = sorted(self._between(flush.low, flush.high), key=partial(self._unlikely, near))
            self._times[id(flush.call)] = times
            for n in near:
                met[n] = self._needs[n][0] <= times[0] <= self._needs[n][1]

    def ways(self, flush: Flush) -> Iterator[Untied]:
        """The moments at which a flush may have happened, the likeliest first; or that it did not."""
        if effect(flush.call) is None:
            yield Untied((), live=False)
        for time in self._times[id(flush.call)]:
            yield Untied((Moment(time, flush.name, flush.call),), live=False)

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


def _needs(slot: Slot) -> list[Interval]:
    # The misses of a slot that its own flushes and failed puts do not explain.
    zones = slot.zones()
    busy = forward(zones, ALWAYS)
    wanted = demands(slot.clusters, zones, busy, ALWAYS) if isinstance(busy, Busy) else busy
    if not isinstance(wanted, list):
        return []
    ends = sorted(end for _, end in slot.clusters.writers)
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


def at(moments: Iterable[Moment], calls: Iterable[Call]) -> Iterator[tuple[Call, Call]]:
    """The flushes that have a moment, each as a call that takes just that moment, and as it was."""
    chosen = {id(moment.what): moment.time for moment in moments}
    for call in calls:
        if id(call) in chosen:
            yield call._replace(begin=chosen[id(call)], end=chosen[id(call)], answer=True), call
