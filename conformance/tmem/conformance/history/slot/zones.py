"""Zones: whether the clusters of one slot can be put in an order at all (Gibbons and Korach, 1997).

A history of one slot in which no page is put twice is legal if and only if each hit has its put, no hit
ended before its put began, each cluster lies in one lifetime of the pool, no two forward zones overlap, and
neither a backward zone nor an event that leaves or finds the slot empty lies inside a forward zone; for
persistent pages `misses` has the rest. These conditions are necessary. They are sufficient, because each
forward zone can take its time, and everything else an instant outside of all forward zones.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from math import inf
from operator import gt
from typing import NamedTuple

from tmem.conformance.history.calls import end_of
from tmem.conformance.history.partition import SlotCalls
from tmem.conformance.history.slot.clusters import Conflict, Interval, Zone, among
from tmem.conformance.history.slot.lifetimes import Lifetimes


class Busy(NamedTuple):
    """The forward zones of one slot in the order of time; they do not overlap."""

    starts: list[float]
    stops: list[float]

    def around(self, time: float) -> int:
        """The number of the zone that contains this instant; -1 if none does."""
        n = bisect_left(self.starts, time) - 1
        return n if n >= 0 and time < self.stops[n] else -1

    def soonest(self, time: float) -> float:
        """The first instant from here on that is outside of all zones."""
        n = self.around(time)
        return time if n < 0 else self.stops[n]

    def latest(self, time: float) -> float:
        """The last instant up to here that is outside of all zones."""
        n = self.around(time)
        return time if n < 0 else self.starts[n]

    def contains(self, begin: float, end: float) -> bool:
        """Whether an interval lies inside a zone, so that only the calls of that zone can happen in it."""
        n = bisect_left(self.starts, begin) - 1
        return n >= 0 and end < self.stops[n]


class Intervals:
    """Intervals, sorted for many questions."""

    __slots__ = ("begins", "first_end_from", "sorted")

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self.sorted = sorted(intervals)
        self.begins = [begin for begin, _ in self.sorted]
        self.first_end_from: list[float] = []
        """The least end among the intervals from here on, in the order of their begins."""
        least = inf
        for _, end in reversed(self.sorted):
            least = min(least, end)
            self.first_end_from.append(least)
        self.first_end_from.reverse()

    def one_inside(self, start: float, stop: float) -> bool:
        """Whether one of them lies inside of this interval and does not touch its ends."""
        n = bisect_right(self.begins, start)
        return n < len(self.begins) and self.first_end_from[n] < stop


class Flushes:
    """The flushes of one object, for all of its slots."""

    __slots__ = ("calls", "ends", "maybe", "sure")

    def __init__(self, calls: SlotCalls) -> None:
        self.calls = calls
        self.sure = Intervals((call.begin, end_of(call)) for call in calls.emptied)
        self.maybe: list[Interval] = [(begin, end) for begin, end, _ in calls.maybe_emptied]
        """Those that need not have happened."""
        self.ends = [*sorted(end for _, end in self.sure.sorted), inf]


def clipped(zones: Iterable[Zone], lifetimes: Lifetimes) -> list[Zone] | Conflict:
    """The zones as the lifetimes leave them, each within one; or a zone that no lifetime has room for.

    A cluster that may lie in two lifetimes is given to the earlier one, where it can wait for the end of the
    pool and so is in nobody's way.
    """
    starts, stops = lifetimes.starts, lifetimes.stops
    last = len(stops)
    kept: list[Zone] = []
    for zone in zones:
        first_end, last_begin, put_begin, hits = zone
        n = bisect_left(stops, last_begin)
        if hits > 1 or n == last or starts[n] > first_end:
            n = lifetimes.with_room(first_end, last_begin, hits)
            if n < 0:
                return among(first_end, last_begin)
        if first_end > stops[n] or last_begin < starts[n]:
            zone = min(first_end, stops[n]), max(last_begin, starts[n]), put_begin, hits
        kept.append(zone)
    return kept


def forward(zones: Iterable[Zone], lifetimes: Lifetimes) -> Busy | Conflict:
    """The forward zones; or clusters that cannot be put in an order."""
    spans: list[Interval] = []
    backward: list[Interval] = []
    for first_end, last_begin, put_begin, hits in zones:
        if first_end < last_begin:
            spans.append((first_end, last_begin))
            if first_end < put_begin:
                return among(first_end, last_begin, put_begin)
        else:
            backward.append((last_begin, first_end))
        if hits > 1 and lifetimes.with_room(first_end, last_begin, hits) < 0:
            return among(first_end, last_begin)
    spans.sort()
    starts = [start for start, _ in spans]
    stops = [stop for _, stop in spans]
    if any(map(gt, stops, starts[1:])):
        return next(among(*one, *next_one) for one, next_one in pairwise(spans) if one[1] > next_one[0])
    busy = Busy(starts, stops)
    return within(busy, backward) or busy


def within(busy: Busy, intervals: Iterable[Interval]) -> Conflict | None:
    """The first forward zone that contains one of the intervals."""
    starts, stops = busy
    if not starts:
        return None
    for begin, end in intervals:
        n = bisect_left(starts, begin)
        if n and end < stops[n - 1]:
            return among(starts[n - 1], stops[n - 1], begin, end)
    return None


def flushed_within(busy: Busy, flushes: Flushes) -> Conflict | None:
    """The first forward zone that contains a flush of the object."""
    if len(flushes.sure.sorted) < len(busy.starts) or any(map(flushes.sure.one_inside, *busy)):
        return within(busy, flushes.sure.sorted)
    return None
