"""A pool id that shared its pools with no other id: its slots, given when its pools were made and ended."""

from __future__ import annotations

from collections.abc import Iterator

from tmem.conformance.history.calls import Call, Name, Page, end_of
from tmem.conformance.history.partition import Partition, SlotCalls
from tmem.conformance.history.pools.atomic_flush import FlushTimes, at_instants, flushes_of
from tmem.conformance.history.pools.candidate_times import PrivateTimes
from tmem.conformance.history.pools.pool_calls import (
    Choice,
    Chosen,
    Flush,
    Instant,
    PoolCall,
    in_time,
    knots_of,
    lifetimes_of,
    orders,
)
from tmem.conformance.history.slot.budget import Budget
from tmem.conformance.history.slot.clusters import Conflict, among
from tmem.conformance.history.slot.decide import SlotHistory, conflict_in
from tmem.conformance.history.slot.lifetimes import Lifetimes
from tmem.conformance.history.slot.linearization import Linearization, linearize
from tmem.conformance.history.slot.zones import Flushes

NO_FLUSHES = Flushes(SlotCalls())


class PrivatePools:
    """The pools of one id, in all of its lifetimes."""

    doubt = mixed = latest = False

    def __init__(
        self, name: Name, made: list[PoolCall], found: Partition, budget: Budget, atomic_flush: bool
    ) -> None:
        self.names = [name]
        self.failing: Name = ()
        """The object id and index of the slot that was last in conflict."""
        self._budget = budget
        slots, objects = found.slots.get(name, {}), found.objects.get(name, {})
        self._unflushed = [call for calls in (*slots.values(), *objects.values()) for call in calls.unflushed]
        self._times = PrivateTimes(made, (call.begin for call in self._unflushed))
        self._objects = {target[2]: calls for target, calls in objects.items()}
        self._flushes = {} if atomic_flush else {oid: Flushes(each) for oid, each in self._objects.items()}
        self._whole: dict[int, Call] = {}
        """Flushes that were given an instant, as they were."""
        self._slots = [
            SlotHistory(target, calls, self._flushes.get(target[2], NO_FLUSHES))
            for target, calls in slots.items()
        ]
        for slot in self._slots:
            self._times.add(slot.clusters.zones)
        self._times.sort()
        self._passed: dict[int, tuple[float, ...]] = {}
        """What each slot was last found to be in order with."""
        self._flush_times: dict[Page, FlushTimes] = {}
        choices: list[Choice] = [*knots_of(name, made)]
        if atomic_flush:
            persistent = any(call.kind.persistent for call in made)
            for target, calls in objects.items():
                of_object = [slot for slot in self._slots if slot.name[2] == target[2]]
                self._flush_times[target[2]] = times = FlushTimes(of_object, persistent, certain=True)
                flushes = list(flushes_of(target, calls))
                times.guess(flushes)
                choices += flushes
        self.choices = in_time(choices)

    def ways(self, choice: Choice, live: bool) -> Iterator[Chosen]:
        """The instants that matter to a knot of pool calls, or to a flush."""
        if isinstance(choice, Flush):
            return self._flush_times[choice.oid].choices(choice)
        return orders(choice, live, self._times)

    def conflict(self, instants: list[Instant]) -> Conflict | None:
        """Calls of a slot that cannot be put in an order, given these instants; it comes first next time."""
        lifetimes = self._given(instants)
        for flush in self._unflushed:
            if lifetimes.last_throughout(flush.begin, end_of(flush)):
                self.failing = flush.args[2:4]
                return among(flush.begin, end_of(flush))
        slots = self._slots
        for n, slot in enumerate(slots):
            flushed = slot.flushes.sure.begins if self._flush_times else ()
            given = (*lifetimes.starts, *lifetimes.stops, *flushed)
            if self._passed.get(id(slot)) == given:
                continue
            conflict = conflict_in(slot, lifetimes, self._budget)
            if conflict is not None:
                self.failing = slot.name[2:]
                slots[0], slots[n] = slots[n], slots[0]
                return conflict
            self._passed[id(slot)] = given
        return None

    def linearizations(self, instants: list[Instant]) -> Iterator[Linearization]:
        """A linearization of each slot, given instants that leave no conflict."""
        lifetimes = self._given(instants)
        for slot in self._slots:
            found = linearize(slot, lifetimes, self._budget)
            yield found._replace(
                effects=[(time, self._whole.get(id(what), what)) for time, what in found.effects]
            )

    def _given(self, instants: list[Instant]) -> Lifetimes:
        if self._flush_times:
            for oid, calls in self._objects.items():
                given = list(at_instants(instants, calls))
                self._whole.update((id(part), call) for part, call in given)
                flushes = SlotCalls()
                flushes.emptied = [part for part, _ in given]
                self._flushes[oid] = Flushes(flushes)
            for slot in self._slots:
                slot.flushes = self._flushes.get(slot.name[2], NO_FLUSHES)
        return lifetimes_of(instants)
