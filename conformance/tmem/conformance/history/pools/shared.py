"""Shared pools: which calls of which clients meet in a slot, given when each had joined and left."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from math import inf
from typing import NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Page, denied, effect, perhaps, until
from tmem.conformance.history.partition import Name, Split
from tmem.conformance.history.pools.atomic_flush import Flush, Moments, at, flushes_of
from tmem.conformance.history.pools.candidate_times import SharedTimes
from tmem.conformance.history.pools.pool_calls import Moment, PoolCall, Untied, knots_of, lives, untie
from tmem.conformance.history.pools.search import Choice, in_time
from tmem.conformance.history.slot.clusters import Conflict, Interval, among
from tmem.conformance.history.slot.decide import CALLS, Slot, conflict_in
from tmem.conformance.history.slot.frontier import Budget
from tmem.conformance.history.slot.linearization import Order, order_of
from tmem.conformance.history.slot.pool_lifetimes import Era, Eras
from tmem.conformance.history.slot.zones import Flushes
from tmem.spec.slot import Does, Kind

Pages: TypeAlias = Hashable
"""What holds the pages: the UUID that was joined; for a private pool the name."""


class Turn(NamedTuple):
    """A client joins a pool, as of this kind, or leaves it."""

    time: float
    name: Name
    joins: bool
    kind: Kind


class Lives:
    """The lives of one pool id, in the order of time."""

    def __init__(self, eras: Sequence[Era]) -> None:
        self.eras = eras
        self._starts = [era.start for era in eras]
        self._stops = [era.stop for era in eras]

    def meeting(self, begin: float, end: float) -> Sequence[Era]:
        """Those that an interval meets or touches."""
        return self.eras[bisect_left(self._stops, begin) : bisect_right(self._starts, end)]


class SharedPools:
    """Pool ids that stood for shared pools, with all that shared with them.

    A call belongs to the life of its own pool id in which it took effect. Where it may be one of several,
    the first is taken, or (`latest`) the last; `doubt` says that this, or the order of a join and a leave
    at the same time, was left untried. Where sharers took a pool as of different kinds, its pages may
    vanish; or (`strict`) they may not.
    """

    def __init__(
        self, made: dict[Name, list[PoolCall]], found: Split, budget: Budget, atomic_flush: bool
    ) -> None:
        self.names = list(made)
        self.failing: tuple[Page, ...] = ()
        """The object id and index of the slot that was last in conflict."""
        self.latest = False
        self.strict = False
        self.mixed = False
        """Whether, by the moments last looked at, sharers took one life of a pool as of different kinds."""
        self.doubt = False
        self._budget = budget
        self._whole: dict[int, Call] = {}
        self._calls = {name: list(_calls_on(name, found)) for name in made}
        persistent = any(call.kind.persistent for calls in made.values() for call in calls)
        self._cost = 1 + sum(map(len, self._calls.values())) // CALLS
        points = sorted(set(_points(made.values(), self._calls.values())))
        self._times = {
            name: SharedTimes(points, _emptyings(calls), persistent) for name, calls in self._calls.items()
        }
        knots: list[Choice] = [knot for name, calls in made.items() for knot in knots_of(name, calls)]
        self._atomic: dict[Page, Moments] = {}
        if atomic_flush:
            for oid in {call.args[2] for calls in self._calls.values() for call in calls}:
                self._atomic[oid] = Moments(list(self._alike(oid)), persistent, certain=False)
            flushes = [
                flush
                for name, calls in self._calls.items()
                for flush in flushes_of(name, (call for call in calls if call.op == "flush_object"))
            ]
            for oid, times in self._atomic.items():
                times.guess(flush for flush in flushes if flush.call.args[2] == oid)
            knots += flushes
        self.knots = in_time(knots)

    def _alike(self, oid: Page) -> Iterator[Slot]:
        # Slots by object and index alone: that tells well enough which moments of a flush are likely.
        slots: dict[Page, list[Call]] = defaultdict(list)
        for calls in self._calls.values():
            for call in calls:
                if call.args[2] == oid and call.op != "flush_object":
                    slots[call.args[3]].append(call)
        for index, calls in slots.items():
            yield Slot((oid, index), calls, Flushes())

    def ways(self, knot: Choice, live: bool) -> Iterator[Untied]:
        """The moments that matter to a knot of pool calls, or to a flush."""
        if isinstance(knot, Flush):
            return self._atomic[knot.call.args[2]].ways(knot)
        return untie(knot, live, self._times[knot.name])

    def conflict(self, moments: list[Moment]) -> Conflict | None:
        """Where the calls of a slot cannot be ordered, given these moments. Raises Spent."""
        self._budget.spend(self._cost)  # also where a call finds no life, and no slot is looked at
        slots = self._slots(moments)
        if isinstance(slots, Conflict):
            return slots
        for slot, eras in slots:
            conflict = conflict_in(slot, eras, self._budget)
            if conflict is not None:
                self.failing = slot.name[1:]
                return conflict
        return None

    def orders(self, moments: list[Moment]) -> Iterator[Order]:
        """An order for each slot, given moments that leave no conflict."""
        slots = self._slots(moments)
        for slot, eras in [] if isinstance(slots, Conflict) else slots:
            order = order_of(slot, eras, self._budget)
            steps = [(time, self._whole.get(id(what), what)) for time, what in order.steps]
            yield order._replace(steps=steps)

    def _slots(self, moments: list[Moment]) -> list[tuple[Slot, Eras]] | Conflict:
        by_name: dict[Name, list[Moment]] = defaultdict(list)
        for moment in moments:
            by_name[moment.name].append(moment)
        members = {name: Lives(lives(by_name[name])) for name in self._calls}
        eras = self._eras(members)
        self._whole = {}
        given: dict[tuple[Pages, Hashable], dict[Hashable, list[Call]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for name, calls in self._calls.items():
            for call, whole in self._with_moments(calls, moments):
                fitted = self._fitted(call, name, members[name])
                if isinstance(fitted, Conflict):
                    self.failing = call.args[2:4]
                    return fitted
                if fitted is not None:
                    pages, part = fitted
                    self._whole[id(part)] = whole
                    index = None if call.op == "flush_object" else call.args[3]
                    given[pages, call.args[2]][index].append(part)
        slots: list[tuple[Slot, Eras]] = []
        for (pages, oid), parts in given.items():
            flushes = Flushes(parts.pop(None, []))
            slots += (
                (Slot((pages, oid, index), calls, flushes), eras[pages]) for index, calls in parts.items()
            )
        return slots

    def _with_moments(self, calls: list[Call], moments: list[Moment]) -> Iterator[tuple[Call, Call]]:
        # Each call, flushes that are to have one moment with just that, beside the call as it was.
        if not self._atomic:
            return zip(calls, calls, strict=True)
        others = [call for call in calls if call.op != "flush_object" or denied(call)]
        return chain(zip(others, others, strict=True), at(moments, calls))

    def _fitted(self, call: Call, name: Name, member: Lives) -> tuple[Pages, Call] | Conflict | None:
        # The life that the call belongs to, and what of the call lies in it; None where it tells nothing.
        happened = effect(call)
        begin, end = call.begin, until(call)
        around = member.meeting(begin, end)
        stays = happened is Does.STORED or happened is Does.HIT
        if not around:
            return among(begin, end) if stays else None
        if len(around) == 1 and around[0].start < begin and end < around[0].stop:
            return among(begin, end) if denied(call) else (_pages(name, around[0]), call)
        if not stays and (call.op == "get" or happened is Does.NOTHING):
            return None
        if len(around) > 1:
            self.doubt = True
        life = around[-1 if self.latest else 0]
        part = call if stays else perhaps(call)  # what emptied the slot may have found no pool
        end = min(end, life.stop)
        return _pages(name, life), part._replace(
            begin=max(begin, life.start), end=None if end == inf else end
        )

    def _eras(self, members: dict[Name, Lives]) -> dict[Pages, Eras]:
        turns: dict[Pages, list[Turn]] = defaultdict(list)
        for name, member in members.items():
            for era in member.eras:
                turns[_pages(name, era)] += (
                    Turn(era.start, name, True, era.kind),
                    Turn(era.stop, name, False, era.kind),
                )
        self.mixed = False
        return {pages: Eras(self._united(turns[pages])) for pages in turns}

    def _united(self, turns: list[Turn]) -> Iterator[Era]:
        # A shared pool lives while anybody is in it. At one moment, those who are not in it join first.
        users, start = 0, -inf
        kinds: set[Kind] = set()
        """Those of whoever was in this life of the pool; the life before may have been of another kind."""
        by_time: dict[float, dict[Name, list[Turn]]] = defaultdict(lambda: defaultdict(list))
        for turn in turns:
            by_time[turn.time][turn.name].append(turn)
        for time in sorted(by_time):
            each = sorted(by_time[time].values(), key=lambda own: not own[0].joins)
            persistent = any(turn.kind.persistent for own in each for turn in own)
            self.doubt |= len(each) > 1 and persistent and time != inf
            for turn in chain.from_iterable(each):
                if turn.joins and not users:
                    start, kinds = time, set()
                kinds.add(turn.kind)
                users += 1 if turn.joins else -1
                if not users:
                    yield Era(start, time, self._kind(kinds))

    def _kind(self, kinds: set[Kind]) -> Kind:
        if len(kinds) == 1:
            return next(iter(kinds))
        self.mixed = True
        return Kind(persistent=self.strict, shared=True)


def _pages(name: Name, era: Era) -> Pages:
    return name if era.uuid is None else era.uuid


def _calls_on(name: Name, found: Split) -> Iterator[Call]:
    for group in (found.slots, found.flushes):
        for calls in group[name].values():
            yield from calls


def _emptyings(calls: Iterable[Call]) -> Iterator[Interval]:
    for call in calls:
        if denied(call) or (call.op != "get" and effect(call) not in (Does.STORED, Does.NOTHING)):
            yield call.begin, until(call)


def _points(made: Iterable[list[PoolCall]], calls: Iterable[list[Call]]) -> Iterator[float]:
    for some in made:
        for pool_call in some:
            yield from (pool_call.begin, pool_call.end)
    for others in calls:
        for call in others:
            yield call.begin
            if call.end is not None:
                yield call.end
