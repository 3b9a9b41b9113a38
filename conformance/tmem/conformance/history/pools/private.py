"""A pool that one id alone stands for: its slots, given when it was made and destroyed."""

from __future__ import annotations

from collections.abc import Iterator

from tmem.conformance.history.calls import Call, Page, denied, until
from tmem.conformance.history.partition import Name, Split
from tmem.conformance.history.pools.atomic_flush import Flush, Moments, at, flushes_of
from tmem.conformance.history.pools.candidate_times import PrivateTimes
from tmem.conformance.history.pools.pool_calls import Moment, PoolCall, Untied, knots_of, lives, untie
from tmem.conformance.history.pools.search import Choice, in_time
from tmem.conformance.history.slot.clusters import Conflict, among
from tmem.conformance.history.slot.decide import Slot, conflict_in
from tmem.conformance.history.slot.frontier import Budget
from tmem.conformance.history.slot.linearization import Order, order_of
from tmem.conformance.history.slot.pool_lifetimes import Eras
from tmem.conformance.history.slot.zones import Flushes

NO_FLUSHES = Flushes()


class Pool:
    """One pool id that shared its pool with no other: its slots are those of all its lives."""

    doubt = mixed = latest = strict = False

    def __init__(
        self, name: Name, made: list[PoolCall], found: Split, budget: Budget, atomic_flush: bool
    ) -> None:
        self.names = [name]
        self.failing: tuple[Page, ...] = ()
        """The object id and index of the slot that was last in conflict."""
        self._budget = budget
        groups = (*found.slots.get(name, {}).values(), *found.flushes.get(name, {}).values())
        self._denied = [call for group in groups for call in group if denied(call)]
        self._times = PrivateTimes(made, (call.begin for call in self._denied))
        self._objects: dict[Page, list[Call]] = {t[2]: c for t, c in found.flushes.get(name, {}).items()}
        self._flushes = {oid: Flushes(() if atomic_flush else calls) for oid, calls in self._objects.items()}
        self._whole: dict[int, Call] = {}
        """Flushes that were given a moment, as they were."""
        self._slots = [
            Slot(target, calls, self._flushes.get(target[2], NO_FLUSHES))
            for target, calls in found.slots.get(name, {}).items()
        ]
        for slot in self._slots:
            self._times.add(slot.zones())
        self._times.sort()
        self._passed: dict[int, tuple[float, ...]] = {}
        """What each slot was last found to be in order with."""
        self._atomic: dict[Page, Moments] = {}
        knots: list[Choice] = [*knots_of(name, made)]
        if atomic_flush:
            persistent = any(call.kind.persistent for call in made)
            for oid, calls in self._objects.items():
                slots = [slot for slot in self._slots if slot.name[2] == oid]
                self._atomic[oid] = Moments(slots, persistent, certain=True)
                flushes = list(flushes_of(name, calls))
                self._atomic[oid].guess(flushes)
                knots += flushes
        self.knots = in_time(knots)

    def ways(self, knot: Choice, live: bool) -> Iterator[Untied]:
        """The moments that matter to a knot of pool calls, or to a flush."""
        if isinstance(knot, Flush):
            return self._atomic[knot.call.args[2]].ways(knot)
        return untie(knot, live, self._times)

    def conflict(self, moments: list[Moment]) -> Conflict | None:
        """Where the calls of a slot cannot be ordered, given these moments; it is tried first next time."""
        eras = self._given(moments)
        for flush in self._denied:
            if eras.last_throughout(flush.begin, until(flush)):
                self.failing = flush.args[2:]
                return among(flush.begin, until(flush))
        slots = self._slots
        for n, slot in enumerate(slots):
            given = (*eras.starts, *eras.stops, *(slot.flushes.sure.begins if self._atomic else ()))
            if self._passed.get(id(slot)) == given:
                continue
            conflict = conflict_in(slot, eras, self._budget)
            if conflict is not None:
                self.failing = slot.name[2:]
                slots[0], slots[n] = slots[n], slots[0]
                return conflict
            self._passed[id(slot)] = given
        return None

    def orders(self, moments: list[Moment]) -> Iterator[Order]:
        """An order for each slot, given moments that leave no conflict."""
        eras = self._given(moments)
        for slot in self._slots:
            order = order_of(slot, eras, self._budget)
            yield order._replace(
                steps=[(time, self._whole.get(id(what), what)) for time, what in order.steps]
            )

    def _given(self, moments: list[Moment]) -> Eras:
        if self._atomic:
            for oid, calls in self._objects.items():
                given = list(at(moments, calls))
                self._whole.update((id(part), call) for part, call in given)
                self._flushes[oid] = Flushes([part for part, _ in given])
            for slot in self._slots:
                slot.flushes = self._flushes.get(slot.name[2], NO_FLUSHES)
        return Eras(lives(moments))
