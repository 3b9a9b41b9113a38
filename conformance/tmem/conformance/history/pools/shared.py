"""Shared pools: which calls of which clients meet in a slot, given when each client had joined and left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from math import inf
from typing import Final, NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Name, Page, Perhaps, end_of
from tmem.conformance.history.partition import Partition, SlotCalls
from tmem.conformance.history.pools.atomic_flush import FlushTimes, at_instants, flushes_of
from tmem.conformance.history.pools.candidate_times import SharedTimes
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
from tmem.conformance.history.slot.clusters import Conflict, Interval, among
from tmem.conformance.history.slot.decide import CALLS, SlotHistory, conflict_in
from tmem.conformance.history.slot.lifetimes import Lifetime, Lifetimes
from tmem.conformance.history.slot.linearization import Linearization, linearize
from tmem.conformance.history.slot.zones import Flushes
from tmem.spec.slot import Kind

Pages: TypeAlias = Hashable
"""What holds the pages: the UUID that was joined; for a private pool the name."""
Given: TypeAlias = dict[tuple[Pages, Page], dict[Page, SlotCalls]]
"""The calls that meet, by pages and object id, and then by index; NO_INDEX for flushes of the object."""
NO_INDEX: Final = None


class Change(NamedTuple):
    """A client joins a pool, as of this kind, or leaves it."""

    time: float
    name: Name
    joins: bool
    kind: Kind


class Part(NamedTuple):
    """What of a call lies in a lifetime of its pool id."""

    lifetime: Lifetime
    begin: float
    end: float
    clipped: bool


class SharedPools:
    """The pools of ids that stood for shared pools, with all that shared with them.

    A call belongs to the lifetime of its own pool id in which it took effect. Where it may be one of several,
    the first is taken, or (`latest`) the last. `doubt` says that this choice, or the order of a join and a
    leave at the same time, was left untried.
    """

    def __init__(
        self, made: dict[Name, list[PoolCall]], found: Partition, budget: Budget, atomic_flush: bool
    ) -> None:
        self.names = list(made)
        self.failing: Name = ()
        """The object id and index of the slot that was last in conflict."""
        self.latest = False
        self.mixed = False
        """Whether, by the last instants, sharers took one lifetime of a pool as of different kinds."""
        self.doubt = False
        self._budget = budget
        self._whole: dict[int, Call] = {}
        self._slots = {name: found.slots.get(name, {}) for name in made}
        self._objects = {name: found.objects.get(name, {}) for name in made}
        groups = {name: [*self._slots[name].values(), *self._objects[name].values()] for name in made}
        persistent = any(call.kind.persistent for calls in made.values() for call in calls)
        size = sum(1 for each in groups.values() for calls in each for _ in calls.all())
        self._cost = 1 + size // CALLS
        points = sorted({*_pool_times(made.values()), *_times(groups.values())} - {inf})
        self._times = {
            name: SharedTimes(points, _emptyings(each), persistent) for name, each in groups.items()
        }
        choices: list[Choice] = [knot for name, calls in made.items() for knot in knots_of(name, calls)]
        self._flush_times: dict[Page, FlushTimes] = {}
        if atomic_flush:
            choices += self._flushes_to_choose(persistent)
        self._atomic_flush = atomic_flush
        self.choices = in_time(choices)

    def _flushes_to_choose(self, persistent: bool) -> list[Flush]:
        targets = [(target, calls) for each in self._objects.values() for target, calls in each.items()]
        flushes = [flush for target, calls in targets for flush in flushes_of(target, calls)]
        for oid in {flush.oid for flush in flushes}:
            times = FlushTimes(list(self._alike(oid)), persistent, certain=False)
            times.guess(flush for flush in flushes if flush.oid == oid)
            self._flush_times[oid] = times
        return flushes

    def _alike(self, oid: Page) -> Iterator[SlotHistory]:
        # Slots by object and index alone: that is enough to estimate which instants of a flush are likely.
        slots: dict[Page, SlotCalls] = defaultdict(SlotCalls)
        for each in self._slots.values():
            for target, calls in each.items():
                if target[2] == oid:
                    slots[target[3]].add(calls)
        for index, calls in slots.items():
            yield SlotHistory((oid, index), calls, Flushes(SlotCalls()))

    def ways(self, choice: Choice, live: bool) -> Iterator[Chosen]:
        """The instants that matter to a knot of pool calls, or to a flush."""
        if isinstance(choice, Flush):
            return self._flush_times[choice.oid].choices(choice)
        return orders(choice, live, self._times[choice.name])

    def conflict(self, instants: list[Instant]) -> Conflict | None:
        """Calls of a slot that cannot be put in an order, given these instants. Raises Spent."""
        self._budget.spend(self._cost)  # also where a call finds no pool, and no slot is looked at
        slots = self._slots_given(instants)
        if isinstance(slots, Conflict):
            return slots
        for slot, lifetimes in slots:
            conflict = conflict_in(slot, lifetimes, self._budget)
            if conflict is not None:
                self.failing = slot.name[1:]
                return conflict
        return None

    def linearizations(self, instants: list[Instant]) -> Iterator[Linearization]:
        """A linearization of each slot, given instants that leave no conflict."""
        slots = self._slots_given(instants)
        for slot, lifetimes in [] if isinstance(slots, Conflict) else slots:
            found = linearize(slot, lifetimes, self._budget)
            yield found._replace(
                effects=[(time, self._whole.get(id(what), what)) for time, what in found.effects]
            )

    def _slots_given(self, instants: list[Instant]) -> list[tuple[SlotHistory, Lifetimes]] | Conflict:
        by_name: dict[Name, list[Instant]] = defaultdict(list)
        for instant in instants:
            by_name[instant.name].append(instant)
        members = {name: lifetimes_of(by_name[name]) for name in self.names}
        lifetimes = self._lifetimes(members)
        self._whole = {}
        given: Given = defaultdict(lambda: defaultdict(SlotCalls))
        for name, member in members.items():
            targets = [(target[2], target[3], calls) for target, calls in self._slots[name].items()]
            for target, calls in self._objects[name].items():
                targets.append((target[2], NO_INDEX, self._with_instants(calls, instants)))
            for oid, index, calls in targets:
                conflict = self._fit(calls, name, member, given, oid, index)
                if conflict is not None:
                    self.failing = (oid,) if index is NO_INDEX else (oid, index)
                    return conflict
        slots: list[tuple[SlotHistory, Lifetimes]] = []
        for (pages, oid), parts in given.items():
            flushes = Flushes(parts.pop(NO_INDEX, SlotCalls()))
            slots += (
                (SlotHistory((pages, oid, index), calls, flushes), lifetimes[pages])
                for index, calls in parts.items()
            )
        return slots

    def _with_instants(self, flushes: SlotCalls, instants: list[Instant]) -> SlotCalls:
        # The flushes of an object; those that are to have one instant with just that.
        if not self._atomic_flush:
            return flushes
        given = list(at_instants(instants, flushes))
        self._whole.update((id(part), whole) for part, whole in given)
        found = SlotCalls()
        found.emptied, found.unflushed = [part for part, _ in given], flushes.unflushed
        return found

    def _fit(
        self, calls: SlotCalls, name: Name, member: Lifetimes, given: Given, oid: Page, index: Page
    ) -> Conflict | None:
        # Give each call to the pages of the lifetime that it belongs to, with what of it lies in that.
        def at(lifetime: Lifetime) -> SlotCalls:
            return given[_pages(name, lifetime), oid][index]

        for call in calls.unflushed:
            if _around(call, member) is not None:
                return among(call.begin, end_of(call))
        for call in calls.stored + calls.hits:
            part = self._part(call.begin, end_of(call), member)
            if part is None:
                return among(call.begin, end_of(call))
            inside = call._replace(begin=part.begin, end=part.end) if part.clipped else call
            self._whole.setdefault(id(inside), call)
            (at(part.lifetime).hits if inside.op == "get" else at(part.lifetime).stored).append(inside)
        for call in calls.misses:
            if (lifetime := _around(call, member)) is not None:
                at(lifetime).misses.append(call)
        for call in calls.denied:
            if (lifetime := _around(call, member)) is not None:
                at(lifetime).denied.append(call)
        for call in calls.emptied:
            part = self._part(call.begin, end_of(call), member)
            if part is not None and part.clipped:  # it may have found no pool
                at(part.lifetime).maybe_emptied.append(Perhaps(part.begin, part.end, call))
            elif part is not None:
                at(part.lifetime).emptied.append(call)
        for unsure in calls.maybe_stored:
            if (part := self._part(unsure.begin, unsure.end, member)) is not None:
                at(part.lifetime).maybe_stored.append(Perhaps(part.begin, part.end, unsure.call))
        for unsure in calls.maybe_emptied:
            if (part := self._part(unsure.begin, unsure.end, member)) is not None:
                at(part.lifetime).maybe_emptied.append(Perhaps(part.begin, part.end, unsure.call))
        return None

    def _part(self, begin: float, end: float, member: Lifetimes) -> Part | None:
        # The lifetime that a call belongs to, and the part of the call within it, or None.
        around = member.meeting(begin, end)
        if not around:
            return None
        if len(around) > 1:
            self.doubt = True
        lifetime = around[-1 if self.latest else 0]
        clipped = not (lifetime.start < begin and end < lifetime.stop)
        return Part(lifetime, max(begin, lifetime.start), min(end, lifetime.stop), clipped)

    def _lifetimes(self, members: dict[Name, Lifetimes]) -> dict[Pages, Lifetimes]:
        changes: dict[Pages, list[Change]] = defaultdict(list)
        for name, member in members.items():
            for each in member.each:
                changes[_pages(name, each)] += (
                    Change(each.start, name, True, each.kind),
                    Change(each.stop, name, False, each.kind),
                )
        self.mixed = False
        return {pages: Lifetimes(self._united(changes[pages])) for pages in changes}

    def _united(self, changes: list[Change]) -> Iterator[Lifetime]:
        # A shared pool lives while anybody is in it. At one instant, those who are not in it join first.
        users, start = 0, -inf
        kinds: set[Kind] = set()
        """Those of whoever was in this lifetime; the one before may have been of another kind."""
        by_time: dict[float, dict[Name, list[Change]]] = defaultdict(lambda: defaultdict(list))
        for change in changes:
            by_time[change.time][change.name].append(change)
        for time in sorted(by_time):
            each = sorted(by_time[time].values(), key=lambda own: not own[0].joins)
            persistent = any(change.kind.persistent for own in each for change in own)
            self.doubt |= len(each) > 1 and persistent and time != inf
            for change in chain.from_iterable(each):
                if change.joins and not users:
                    start, kinds = time, set()
                kinds.add(change.kind)
                users += 1 if change.joins else -1
                if not users:
                    yield Lifetime(start, time, self._kind(kinds))

    def _kind(self, kinds: set[Kind]) -> Kind:
        if len(kinds) == 1:
            return next(iter(kinds))
        self.mixed = True
        return Kind(shared=True)


def _pages(name: Name, lifetime: Lifetime) -> Pages:
    return name if lifetime.uuid is None else lifetime.uuid


def _around(call: Call, member: Lifetimes) -> Lifetime | None:
    # The lifetime that contains all of a call, where no other one touches it.
    around = member.meeting(call.begin, end_of(call))
    if len(around) == 1 and around[0].start < call.begin and end_of(call) < around[0].stop:
        return around[0]
    return None


def _emptyings(groups: Iterable[SlotCalls]) -> Iterator[Interval]:
    for calls in groups:
        for call in (*calls.emptied, *calls.unflushed):
            yield call.begin, end_of(call)
        for begin, end, _ in calls.unsure:
            yield begin, end


def _pool_times(made: Iterable[Sequence[PoolCall]]) -> Iterator[float]:
    return (time for calls in made for call in calls for time in (call.begin, call.end))


def _times(groups: Iterable[Sequence[SlotCalls]]) -> Iterator[float]:
    for each in groups:
        for calls in each:
            yield from calls.times()
            for call in calls.unflushed:
                yield from (call.begin, end_of(call))
