"""Eras: from when to when a pool lived. Between two of them its slots hold nothing, and take nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import inf
from typing import NamedTuple

from tmem.conformance.history.slot.clusters import Conflict, Interval, Zone, among
from tmem.spec.slot import Kind


class Era(NamedTuple):
    """One life of a pool: the moments at which it was made and ended, its kind, and the UUID if shared."""

    start: float
    stop: float
    kind: Kind
    uuid: int | None = None


class Eras:
    """The lives of a pool in the order of time; they do not overlap."""

    __slots__ = ("ephemeral", "kinds", "persistent", "starts", "stops")

    def __init__(self, lives: Iterable[Era]) -> None:
        eras = list(lives)
        self.starts = [era.start for era in eras]
        self.stops = [era.stop for era in eras]
        self.kinds = [era.kind for era in eras]
        self.persistent = any(kind.persistent for kind in self.kinds)
        """Whether any of them is persistent."""
        self.ephemeral = not all(kind.persistent for kind in self.kinds)
        """Whether any of them is ephemeral."""

    def home(self, first_end: float, last_begin: float, hits: float) -> int:
        """The number of the first era with room for a zone that may have so many hits; -1: none has."""
        for n in range(bisect_left(self.stops, last_begin), len(self.stops)):
            if self.starts[n] > first_end:
                break
            if hits < 2 or not self.kinds[n].exclusive:
                return n
        return -1

    def last_throughout(self, begin: float, end: float) -> bool:
        """Whether the pool was there all of an interval, both ends included."""
        n = bisect_left(self.starts, begin) - 1
        return n >= 0 and end < self.stops[n]

    def unbroken_from(self, time: float) -> bool:
        """Whether the pool was there at this time, and ever after."""
        return len(self.starts) == 1 and self.stops[0] == inf and self.starts[0] <= time

    def ends(self) -> list[Interval]:
        """The moments at which the pool ended, as intervals."""
        return [(stop, stop) for stop in self.stops if stop != inf]

    def ephemeral_throughout(self, begin: float, end: float) -> bool:
        """Whether all of the interval lies in one era, and that is ephemeral."""
        n = bisect_right(self.starts, begin) - 1
        return n >= 0 and end <= self.stops[n] and not self.kinds[n].persistent


def clipped(zones: Iterable[Zone], eras: Eras) -> list[Zone] | Conflict:
    """The zones as the eras leave them, each within one; or one that no era has room for.

    A cluster that may lie in two eras is given to the earlier one, where it can wait for the end of the
    pool and so is in nobody's way.
    """
    kept: list[Zone] = []
    for zone in zones:
        first_end, last_begin, put_begin, hits = zone
        n = eras.home(first_end, last_begin, hits)
        if n < 0:
            return among(first_end, last_begin)
        kept.append((min(first_end, eras.stops[n]), max(last_begin, eras.starts[n]), put_begin, hits))
    return kept
