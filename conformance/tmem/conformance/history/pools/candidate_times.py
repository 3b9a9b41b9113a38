"""The instants that matter: at which a pool may have been made or ended.

In a private pool the earlier is the better. If a pool was made sooner, it has room for all that was done with
it. If it ended sooner, but after the pages that were put before, it explains more misses. There is a choice
only where a page may belong to the lifetime before or after, and where a flush was denied, which can happen
only while there is no pool.

In a shared ephemeral pool it is best to join at once and to leave late, unless the same id comes back, or a
call of the sharer that would empty a slot may have found no pool. In a shared persistent pool every instant
is tried at which a call of a sharer begins or ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from operator import itemgetter

from tmem.conformance.history.pools.pool_calls import PoolCall
from tmem.conformance.history.slot.clusters import FIRST_END, LAST_BEGIN, Interval, Zone

_LAST_AND_FIRST = itemgetter(LAST_BEGIN, FIRST_END)


def _united(intervals: Iterable[Interval]) -> list[Interval]:
    # The same times in intervals that do not overlap.
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return found


class PrivateTimes:
    """The instants that matter to a private pool: those at which the last call of a zone had begun.

    `denied` are the begins of flushes that found no pool.
    """

    def __init__(self, calls: Iterable[PoolCall], denied: Iterable[float]) -> None:
        self._denied = sorted(denied)
        self._windows = _united((call.begin, call.end) for call in calls if not call.makes)
        self._zones: list[tuple[float, float]] = []

    def add(self, zones: Iterable[Zone]) -> None:
        """Keep those zones of a slot whose last begin lies within a destroy; `sort` follows the last."""
        if self._windows:
            ends = sorted(map(_LAST_AND_FIRST, zones))
            for low, high in self._windows:
                self._zones += ends[bisect_right(ends, (low, inf)) : bisect_right(ends, (high, inf))]

    def sort(self) -> None:
        """Put the zones in the order of time."""
        self._zones.sort()

    def new(self, call: PoolCall, soonest: float) -> Sequence[float]:
        """At once; or later, because a flush found no pool."""
        denied = self._denied
        return [soonest, *denied[bisect_right(denied, soonest) : bisect_right(denied, call.end)]]

    def destroy(self, call: PoolCall, soonest: float, next_new: float) -> Sequence[float]:
        """After all zones that end before the next new pool; or after more of them."""
        low = bisect_right(self._zones, (soonest, inf))
        zones = self._zones[low : bisect_right(self._zones, (call.end, inf))]
        needed = max([soonest, *(last_begin for last_begin, first_end in zones if first_end < next_new)])
        return [needed, *sorted({last_begin for last_begin, _ in zones if last_begin > needed})]


class SharedTimes:
    """The instants that matter to an id that stood for shared pools.

    `points` are the begins and ends of all calls of the sharers, in order. `emptyings` are those calls on the
    id that leave nothing in a slot.
    """

    def __init__(self, points: Sequence[float], emptyings: Iterable[Interval], persistent: bool) -> None:
        intervals = list(emptyings)
        self._points = points
        self._begins = sorted({begin for begin, _ in intervals})
        self._ends = sorted({end for _, end in intervals})
        self._persistent = persistent

    def new(self, call: PoolCall, soonest: float) -> Sequence[float]:
        """At once; or later, because a call found no pool, or misses need that the pool had ended before."""
        points = self._points if self._persistent else self._begins
        later = points[bisect_right(points, soonest) : bisect_right(points, call.end)]
        return [soonest, *later]

    def destroy(self, call: PoolCall, soonest: float, next_new: float) -> Sequence[float]:
        """As late as can be; or sooner, for the same reasons, or if the id is granted again meanwhile."""
        points = self._points if self._persistent or next_new <= call.end else self._ends
        sooner = points[bisect_left(points, soonest) : bisect_left(points, call.end)]
        return [call.end, *reversed(sooner)]
