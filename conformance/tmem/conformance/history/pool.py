"""A pool that one id alone stands for: its slots, given when it was made and destroyed."""

from __future__ import annotations

from collections.abc import Iterator

from tmem.conformance.history.calls import Page
from tmem.conformance.history.clusters import Conflict
from tmem.conformance.history.eras import Eras
from tmem.conformance.history.frontier import Budget
from tmem.conformance.history.lives import Moment, PoolCall, in_time, knots_of, lives
from tmem.conformance.history.order import Order, order_of
from tmem.conformance.history.slots import Slot, conflict_in
from tmem.conformance.history.split import Name, Split
from tmem.conformance.history.times import PrivateTimes
from tmem.conformance.history.zones import Flushes

NO_FLUSHES = Flushes()


class Pool:
    """One pool id that shared its pool with no other: its slots are those of all its lives."""

    doubt = mixed = latest = strict = False

    def __init__(self, name: Name, made: list[PoolCall], found: Split, budget: Budget) -> None:
        self.names = [name]
        self.failing: tuple[Page, ...] = ()
        """The object id and index of the slot that was last in conflict."""
        self.knots = in_time(knots_of(name, made))
        self.times = PrivateTimes(made)
        self._budget = budget
        flushes = {target: Flushes(calls) for target, calls in found.flushes.get(name, {}).items()}
        self._slots = [
            Slot(target, calls, flushes.get(target[:3], NO_FLUSHES))
            for target, calls in found.slots.get(name, {}).items()
        ]
        for slot in self._slots:
            self.times.add(slot.zones())
        self.times.sort()

    def conflict(self, moments: list[Moment]) -> Conflict | None:
        """Where the calls of a slot cannot be ordered, given these moments; it is tried first next time."""
        eras = Eras(lives(moments))
        slots = self._slots
        for n, slot in enumerate(slots):
            conflict = conflict_in(slot, eras, self._budget)
            if conflict is not None:
                self.failing = slot.name[2:]
                slots[0], slots[n] = slots[n], slots[0]
                return conflict
        return None

    def orders(self, moments: list[Moment]) -> Iterator[Order]:
        """An order for each slot, given moments that leave no conflict."""
        eras = Eras(lives(moments))
        for slot in self._slots:
            yield order_of(slot, eras, self._budget)
