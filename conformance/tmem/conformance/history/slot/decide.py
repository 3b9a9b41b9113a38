"""One slot: whether its calls can have happened one by one, in the lives of its pool."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from tmem.conformance.history.calls import Call, Page, effect
from tmem.conformance.history.slot.clusters import Clusters, Conflict, Zone, gather
from tmem.conformance.history.slot.frontier import Budget, explore
from tmem.conformance.history.slot.misses import unexplained
from tmem.conformance.history.slot.pool_lifetimes import Eras, clipped
from tmem.conformance.history.slot.zones import Flushes, flushed_within, forward, within
from tmem.spec.slot import Does

CALLS = 10
"""How many calls that are decided by zones count as one state, by the time it takes."""


class Slot:
    """The calls of one slot, and what they come to; the flushes of its object are shared with others."""

    __slots__ = ("calls", "clusters", "flushes", "name")

    def __init__(self, name: tuple[Page, ...], calls: Sequence[Call], flushes: Flushes) -> None:
        self.name = name
        self.calls = calls
        self.clusters: Clusters = gather(calls)
        self.flushes = flushes

    def zones(self) -> list[Zone]:
        """The zone of each cluster; where pages repeat, of each put and hit."""
        if not self.clusters.repeated:
            return [*self.clusters.zones.values(), *self.clusters.singles]
        stays = [call for call in self.calls if effect(call) in (Does.STORED, Does.HIT)]
        return [(inf if call.end is None else call.end, call.begin, call.begin, 0) for call in stays]


def conflict_in(slot: Slot, eras: Eras, budget: Budget) -> Conflict | None:
    """Where the calls of a slot cannot be ordered; None where they can. Raises Spent."""
    found = slot.clusters
    budget.spend(1 + len(slot.calls) // CALLS)
    if found.orphans:
        return found.orphans[0]
    if found.repeated:
        explored = explore([*slot.calls, *slot.flushes.calls], eras, budget)
        return explored if isinstance(explored, Conflict) else None
    zones = slot.zones()
    if not eras.unbroken_from(found.first_begin):
        fitted = clipped(zones, eras)
        if isinstance(fitted, Conflict):
            return fitted
        zones = fitted
    busy = forward(zones, eras)
    if isinstance(busy, Conflict):
        return busy
    conflict = within(busy, found.writers) or flushed_within(busy, slot.flushes)
    if conflict is not None:
        return conflict
    conflict = within(busy, found.misses) if eras.ephemeral else None
    if conflict is None and eras.persistent:
        return unexplained(found, zones, busy, eras, slot.flushes)
    return conflict
