"""Decides one slot: whether its calls can have happened one at a time, in the lifetimes of its pool."""

from __future__ import annotations

from tmem.conformance.history.calls import Name
from tmem.conformance.history.partition import SlotCalls
from tmem.conformance.history.slot.budget import Budget
from tmem.conformance.history.slot.clusters import Conflict, gather
from tmem.conformance.history.slot.frontier import explore
from tmem.conformance.history.slot.lifetimes import Lifetimes
from tmem.conformance.history.slot.misses import unexplained
from tmem.conformance.history.slot.zones import Flushes, clipped, flushed_within, forward, within

CALLS = 10
"""How many calls that are decided by zones count as one state, by the time it takes."""


class SlotHistory:
    """The calls of one slot with their clusters, and the flushes of its object, which other slots share."""

    __slots__ = ("calls", "clusters", "flushes", "name", "size")

    def __init__(self, name: Name, calls: SlotCalls, flushes: Flushes) -> None:
        self.name = name
        self.calls = calls
        self.clusters = gather(calls)
        self.flushes = flushes
        self.size = len(calls.stored) + len(calls.hits) + len(calls.misses)


def conflict_in(slot: SlotHistory, lifetimes: Lifetimes, budget: Budget) -> Conflict | None:
    """Calls of a slot that cannot be put in an order; None if all can. Raises Spent."""
    found = slot.clusters
    budget.spend(1 + slot.size // CALLS)
    if found.orphans:
        return found.orphans[0]
    if found.repeated:
        explored = explore(slot.calls, slot.flushes.calls, lifetimes, budget)
        return explored if isinstance(explored, Conflict) else None
    zones = found.zones
    if not lifetimes.unbroken_from(found.first_begin):
        fitted = clipped(zones, lifetimes)
        if isinstance(fitted, Conflict):
            return fitted
        zones = fitted
    busy = forward(zones, lifetimes)
    if isinstance(busy, Conflict):
        return busy
    conflict = within(busy, found.emptied) or flushed_within(busy, slot.flushes)
    if conflict is not None:
        return conflict
    conflict = within(busy, found.misses) if lifetimes.ephemeral else None
    if conflict is None and lifetimes.persistent:
        return unexplained(found, zones, busy, lifetimes, slot.flushes)
    return conflict
