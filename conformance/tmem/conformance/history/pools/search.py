"""Finds instants for new pools and destroys under which the calls of every slot can be ordered.

The instants of one knot after the other are chosen. Where a slot then is in conflict, the last knot that has
to do with the conflict is ordered in another way (conflict-directed backjumping). So of a thousand destroys
only those are tried again that the conflict touches, and without any choice there is no search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tmem.conformance.history.pools.pool_calls import Choice, Chosen, Instant, Knot
from tmem.conformance.history.slot.clusters import Conflict


class Searched(Protocol):
    """Pools whose slots depend on the same instants."""

    @property
    def choices(self) -> list[Choice]:
        """What has instants to be chosen, in the order of time (see `in_time`)."""

    def ways(self, choice: Choice, live: bool) -> Iterator[Chosen]:
        """Every way to choose that matters, given whether the id was live; the likeliest first."""

    def conflict(self, instants: list[Instant]) -> Conflict | None:
        """Calls of a slot that cannot be put in an order, given these instants."""


def find_instants(pools: Searched) -> list[Instant] | Conflict:
    """The instants that leave no conflict; or, if there are none, the first conflict that was met."""
    return _Search(pools).run()


class _Search:
    def __init__(self, pools: Searched) -> None:
        self.pools = pools
        self.knots = pools.choices
        self.ways: list[Iterator[Chosen]] = []
        self.chosen: list[Chosen] = []
        self.culprits: list[set[int]] = []
        """For each level, the earlier levels that had to do with what failed there."""
        self.first: Conflict | None = None

    def run(self) -> list[Instant] | Conflict:
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
            instants = [instant for way in self.chosen for instant in way.instants]
            conflict = self.pools.conflict(instants)
            if conflict is None:
                return instants
            self.first = self.first or conflict
            self._back_to(_touched(self.knots, conflict))
        return self.first or Conflict(self.knots[0].low, self.knots[-1].high)

    def _enter(self) -> None:
        knot = self.knots[len(self.chosen)]
        live = knot.before >= 0 and self.chosen[knot.before].live
        self.ways.append(self.pools.ways(knot, live))
        self.culprits.append(set())

    def _leave(self) -> None:
        # No order of this knot works, given whether the id was live before.
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
    # The knots that meet the conflict; the destroy before each new pool among them, since a call after the
    # new pool may have come before that destroy; and the knots that decide whether the id was live.
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
