"""Finds moments for new pools and destroys under which the calls of every slot can be ordered.

Knots are untied one after the other, and where a slot then is in conflict, the last knot that has to do
with the conflict is untied in another way (conflict-directed backjumping): so of a thousand destroys only
those are tried again that the conflict touches, and without any choice there is no search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

from tmem.conformance.history.pools.atomic_flush import Flush
from tmem.conformance.history.pools.pool_calls import Knot, Moment, Untied
from tmem.conformance.history.slot.clusters import Conflict

Choice: TypeAlias = Knot | Flush
"""What has moments to be chosen."""


class Pools(Protocol):
    """Pools whose slots depend on the same moments."""

    @property
    def knots(self) -> list[Choice]:
        """What has moments to be chosen, in the order of time (see `in_time`)."""

    def ways(self, knot: Choice, live: bool) -> Iterator[Untied]:
        """Every choice for one of them that matters, given whether its id was live; the likeliest first."""

    def conflict(self, moments: list[Moment]) -> Conflict | None:
        """Where the calls of a slot cannot be ordered, given these moments."""


def in_time(knots: Iterable[Choice]) -> list[Choice]:
    """The knots of several ids in the order of time, each with the number of the one before it."""
    last: dict[object, int] = {}
    ordered: list[Choice] = []
    for n, knot in enumerate(sorted(knots, key=lambda knot: knot.low)):
        if isinstance(knot, Knot):
            knot = knot._replace(before=last.get(knot.name, -1))
            last[knot.name] = n
        ordered.append(knot)
    return ordered


def settle(pools: Pools) -> list[Moment] | Conflict:
    """The moments that leave no conflict; or, where there are none, the first conflict that was met."""
    return _Search(pools).run()


class _Search:
    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        self.knots = pools.knots
        self.ways: list[Iterator[Untied]] = []
        self.chosen: list[Untied] = []
        self.culprits: list[set[int]] = []
        """For each level, the earlier levels that had to do with what failed there."""
        self.first: Conflict | None = None

    def run(self) -> list[Moment] | Conflict:
        if not self.knots:
            return self.pools.conflict([]) or []
        self._enter()
        while self.ways:
            way = next(self.ways[-1], None)
            if way is None:
                self._leave()
                continue
            self.chosen.append(way)
            if len(self.chosen) < len(self.knots):
                self._enter()
                continue
            moments = [moment for way in self.chosen for moment in way.moments]
            conflict = self.pools.conflict(moments)
            if conflict is None:
                return moments
            self.first = self.first or conflict
            self._back_to(_touched(self.knots, conflict))
        return self.first or Conflict(self.knots[0].low, self.knots[-1].high)

    def _enter(self) -> None:
        knot = self.knots[len(self.chosen)]
        live = knot.before >= 0 and self.chosen[knot.before].live
        self.ways.append(self.pools.ways(knot, live))
        self.culprits.append(set())

    def _leave(self) -> None:
        # Every way to untie this knot failed, or there is none since the id was (not) live before.
        self.ways.pop()
        knot = self.knots[len(self.ways)]
        culprits = self.culprits.pop()
        if self.first is None:
            self.first = Conflict(knot.low, knot.high)
        if knot.before >= 0 and self.knots[knot.before].wavers:
            culprits.add(knot.before)
        self._back_to(culprits)

    def _back_to(self, culprits: set[int]) -> None:
        while self.ways and len(self.ways) - 1 not in culprits:
            self.ways.pop()
            self.culprits.pop()
            if len(self.chosen) > len(self.ways):
                self.chosen.pop()
        if self.ways:
            level = len(self.ways) - 1
            self.culprits[level] |= culprits - {level}
            del self.chosen[level:]


def _touched(knots: Sequence[Choice], conflict: Conflict) -> set[int]:
    # The knots that meet the conflict; the destroy before a new pool among them, for what comes after the
    # one may have come before the other; and what decides if the id was live.
    touched: set[int] = set()
    last: dict[object, int] = {}
    for n, knot in enumerate(knots):
        if knot.high < conflict.low:
            if isinstance(knot, Knot):
                last[knot.name] = n
        elif knot.low <= conflict.high:
            touched.add(n)
            if knot.before >= 0 and knot.makes:
                touched.add(knot.before)
    return touched | {n for n in last.values() if knots[n].wavers}
