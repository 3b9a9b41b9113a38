"""From when to when pools lived. Outside of the lifetimes of its pool a slot takes and holds nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import inf
from typing import NamedTuple

from tmem.spec.slot import Kind


class Lifetime(NamedTuple):
    """One lifetime of a pool: the instants at which it was made and ended, its kind, its UUID if shared."""

    start: float
    stop: float
    kind: Kind
    uuid: int | None = None


class Lifetimes:
    """The lifetimes of a pool, or of a pool id, in the order of time; they do not overlap."""

    __slots__ = ("each", "ephemeral", "kinds", "persistent", "starts", "stops")

    def __init__(self, lifetimes: Iterable[Lifetime]) -> None:
        self.each = list(lifetimes)
        self.starts = [each.start for each in self.each]
        self.stops = [each.stop for each in self.each]
        self.kinds = [each.kind for each in self.each]
        self.persistent = any(kind.persistent for kind in self.kinds)
        """Whether any of them is persistent."""
        self.ephemeral = not all(kind.persistent for kind in self.kinds)
        """Whether any of them is ephemeral."""

    def meeting(self, begin: float, end: float) -> list[Lifetime]:
        """The lifetimes that an interval meets or touches."""
        return self.each[bisect_left(self.stops, begin) : bisect_right(self.starts, end)]

    def with_room(self, first_end: float, last_begin: float, hits: float) -> int:
        """Return the first lifetime in which a zone with this number of hits has room, or -1."""
        for n in range(bisect_left(self.stops, last_begin), len(self.stops)):
            if self.starts[n] > first_end:
                break
            if hits < 2 or not self.kinds[n].exclusive:
                return n
        return -1

    def last_throughout(self, begin: float, end: float) -> bool:
        """Whether one lifetime contains an interval with both of its ends."""
        n = bisect_left(self.starts, begin) - 1
        return n >= 0 and end < self.stops[n]

    def unbroken_from(self, time: float) -> bool:
        """Whether the pool lived from this time on and never ended."""
        return len(self.starts) == 1 and self.stops[0] == inf and self.starts[0] <= time

    def ends(self) -> list[tuple[float, float]]:
        """The instants at which the pool ended, as intervals."""
        return [(stop, stop) for stop in self.stops if stop != inf]

    def ephemeral_throughout(self, begin: float, end: float) -> bool:
        """Whether an interval lies in one lifetime, and that is ephemeral."""
        n = bisect_right(self.starts, begin) - 1
        return n >= 0 and end <= self.stops[n] and not self.kinds[n].persistent
