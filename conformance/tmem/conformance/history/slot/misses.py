"""Misses of persistent pages: each needs something that emptied the slot, at the right instant.

Give each forward zone its time, and each backward zone the instant of an emptying that lies in it, else its
end. Then a miss has its place if and only if the slot was emptied after every page that was certainly put
before the miss began, and before the miss ended: between the instant at which the last of those zones may be
over, and the end of the miss. So each miss demands one emptying in an interval. Which emptying meets which
demand is found by serving demands in the order of their ends: each as late as can be, by the emptying that
has the least time left; those whose time runs out before happen at their ends, and meet what they can.

That is exact. What happens at an instant before the next end of a demand meets no demand more than at that
end; and of two emptyings that may both happen there, the one with more time left can stand in for the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import accumulate
from math import inf

from tmem.conformance.history.slot.clusters import (
    FIRST_END,
    LAST_BEGIN,
    Clusters,
    Conflict,
    Interval,
    Zone,
    among,
)
from tmem.conformance.history.slot.lifetimes import Lifetimes
from tmem.conformance.history.slot.zones import Busy, Flushes


def unexplained(
    found: Clusters, zones: Iterable[Zone], busy: Busy, lifetimes: Lifetimes, flushes: Flushes
) -> Conflict | None:
    """A miss for which nothing can have emptied the slot; None where each has its reason."""
    wanted = demands(found, zones, busy, lifetimes)
    if isinstance(wanted, Conflict):
        return wanted
    ends = lifetimes.ends()
    if _met_without_choice(wanted, [*found.emptied, *ends], flushes):
        return None
    served = serve(
        wanted, busy, [*found.emptied, *found.maybe_emptied, *flushes.sure.sorted, *flushes.maybe, *ends]
    )
    return served if isinstance(served, Conflict) else None


def demands(
    found: Clusters, zones: Iterable[Zone], busy: Busy, lifetimes: Lifetimes
) -> list[Interval] | Conflict:
    """For each miss that needs one, the interval in which something must have emptied the slot."""
    spans = sorted((zone[FIRST_END], zone[LAST_BEGIN]) for zone in zones)
    first_ends = [first_end for first_end, _ in spans]
    over = list(accumulate((last_begin for _, last_begin in spans), max))
    wanted: list[Interval] = []
    for begin, end in [*found.misses, *found.denied] if found.denied else found.misses:
        before = bisect_left(first_ends, begin)
        if not before or (lifetimes.ephemeral and lifetimes.ephemeral_throughout(begin, end)):
            continue
        since = over[before - 1]
        if (n := busy.around(since)) >= 0:
            since = busy.stops[n]
        if since > end:
            return next(among(begin, end, *span) for span in spans if span[1] == over[before - 1])
        wanted.append((since, end))
    return wanted


def _met_without_choice(wanted: list[Interval], emptied: list[Interval], flushes: Flushes) -> bool:
    # Whether emptyings that all happen as late as they can, each at its end, meet every demand.
    ends = sorted(end for _, end in emptied)
    ends.append(inf)
    flush_ends = flushes.ends
    for since, until in wanted:
        if ends[bisect_left(ends, since)] > until and flush_ends[bisect_left(flush_ends, since)] > until:
            return False
    return True


def serve(wanted: list[Interval], busy: Busy, emptyings: Sequence[Interval]) -> list[float | None] | Conflict:
    """When each emptying happens (None: inside a zone or at no time); or where not enough are left."""
    demanded = sorted((busy.latest(until), since) for since, until in wanted)
    instants: list[float | None] = [None] * len(emptyings)
    coming: list[tuple[float, float, int]] = []
    for n, (begin, end) in enumerate(emptyings):
        if not busy.contains(begin, end):
            instants[n] = busy.latest(end)
            coming.append((busy.soonest(begin), busy.latest(end), n))
    coming.sort(reverse=True)
    waiting: list[tuple[float, int]] = []
    used: list[tuple[float, float, float]] = []
    last = -inf
    for until, since in demanded:
        while coming and coming[-1][0] <= until:
            heappush(waiting, coming.pop()[1:])
        while waiting and waiting[0][0] < until:
            last = heappop(waiting)[0]
        if last >= since:
            continue
        if not waiting:
            return _shortage(since, until, used)
        end, n = heappop(waiting)
        used.append((since, until, end))
        last = instants[n] = until
    return [None if instant == inf else instant for instant in instants]


def _shortage(since: float, until: float, used: list[tuple[float, float, float]]) -> Conflict:
    # The demand that failed, with those that took an emptying which could have met it, and so on.
    times = [since, until]
    size = -1
    while size != len(used):
        size = len(used)
        for one in used:
            if one[2] >= since:
                times += one[:2]
        used = [one for one in used if one[2] < since]
        since = min(times)
    return Conflict(since, until, tuple(times))
