"""The frontier: everything that a slot may hold and the open calls that took effect, instant by instant.

It decides one slot whatever its pages are. At each end of a call, and when the pool is made or ends, all
orders in which open calls may take effect are tried, and each outcome is kept once. That takes time
exponential in the number of calls that return and are open together. So `zones` and `misses` decide what
they can, and this is for pages that were put more than once. Its budget is a number of states. Calls that
never return do not add states: see `open_calls`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Final, NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Page, end_of, page_of
from tmem.conformance.history.partition import SlotCalls
from tmem.conformance.history.slot.budget import Budget, Spent
from tmem.conformance.history.slot.clusters import Conflict
from tmem.conformance.history.slot.lifetimes import Lifetimes
from tmem.conformance.history.slot.open_calls import Layer, OpenCalls
from tmem.conformance.history.slot.trail import NO_PAGE, Endless, Needed, Trail, endless_of
from tmem.spec.belief import Belief, learn
from tmem.spec.slot import Does, Event, Kind


class Open(NamedTuple):
    """A call that may take effect between its begin and its end, and what it does then.

    If it is not `sure`, it need not happen. Where it may do several things, it does one of them.
    """

    begin: float
    end: float
    events: tuple[Event[Page], ...]
    sure: bool
    call: Call


State: TypeAlias = tuple[Belief[Page], int]
"""What the slot may hold, and the bits of the open calls that have taken effect."""
Ways: TypeAlias = list[tuple[OpenCalls, Trail | None]]
"""The open calls that never return and are left in a state, with one way in which that came about. None of
them allows all that another one does."""
States: TypeAlias = dict[State, Ways]
Way: TypeAlias = tuple[State, OpenCalls, Trail | None]

NOTHING: Belief[Page] = Belief()
FLUSHED: Final[Event[Page]] = Event(Does.FLUSHED)
MISSED: Final[Event[Page]] = Event(Does.MISS)
DENIED: Final[Event[Page]] = Event(Does.DENIED)
WIDEST: Final = 200_000
"""The most states at one instant, since they are all kept: about 100 MB. Beyond them there is no answer."""
READS: Final = frozenset({Does.HIT, Does.MISS, Does.DENIED})


def explore(calls: SlotCalls, flushes: SlotCalls, lifetimes: Lifetimes, budget: Budget) -> States | Conflict:
    """What a slot may hold after all calls; or up to which time the calls can be ordered, and no further.

    `flushes` are those of its object.
    """
    search = _Search(calls, lifetimes, budget)
    opens, endless = [*_opens(calls), *_opens(flushes)], endless_of(calls, flushes)
    budget.spend(len(opens) + len(endless))
    agenda = sorted(_agenda(opens, endless, lifetimes), key=lambda each: each[:3])
    for (time, phase, _, what), shortage in zip(agenda, _shortages(agenda), strict=True):
        search.time, search.shortage = time, shortage
        if isinstance(what, Endless):
            search.begin_endless(what)
        elif not isinstance(what, Open):
            search.change_pool(what)
        elif phase == BEGINS:
            search.begin(what)
        else:
            search.end(what)
        if not search.states:
            return Conflict(-inf, time)
    return search.states


def _opens(calls: SlotCalls) -> Iterator[Open]:
    # The calls that have an end.
    for call in calls.stored:
        yield Open(call.begin, end_of(call), (Event(Does.STORED, page_of(call)),), True, call)
    for call in calls.hits:
        yield Open(call.begin, end_of(call), (Event(Does.HIT, call.answer),), True, call)
    for event, some in ((MISSED, calls.misses), (DENIED, calls.denied), (FLUSHED, calls.emptied)):
        for call in some:
            yield Open(call.begin, end_of(call), (event,), True, call)
    for begin, end, call in calls.maybe_emptied:
        if end != inf:
            yield Open(begin, end, (FLUSHED,), False, call)
    for begin, end, call in calls.maybe_stored:
        if end != inf:
            yield Open(begin, end, (Event(Does.STORED, page_of(call)), FLUSHED), False, call)


BEGINS, CHANGES, ENDS = range(3)
"""The order of what happens at one time: calls that touch may overlap."""


Entry: TypeAlias = tuple[float, int, int, Open | Endless | Kind | None]
"""What begins, changes or ends at a time; the numbers put entries of one time in order."""


def _agenda(opens: Iterable[Open], endless: Iterable[Endless], lifetimes: Lifetimes) -> Iterator[Entry]:
    for n, each in enumerate(opens):
        yield each.begin, BEGINS, n, each
        if each.end != inf:
            yield each.end, ENDS, n, each
    for n, call in enumerate(endless):
        yield call.begin, BEGINS, -1 - n, call
    for n, (start, stop, kind, _) in enumerate(lifetimes.each):
        yield start, CHANGES, 2 * n, kind
        if stop != inf:
            yield stop, CHANGES, 2 * n + 1, None


def _shortages(agenda: Sequence[Entry]) -> list[int]:
    # By how many, at most, the hits of a page that are to begin outnumber its endless puts that are to begin.
    shortages = [0] * len(agenda)
    later: dict[Page, int] = defaultdict(int)
    for n in reversed(range(len(agenda))):
        _, phase, _, what = agenda[n]
        page = NO_PAGE
        if isinstance(what, Endless):
            page, change = what.page, -1
        elif isinstance(what, Open) and what.events[0].does is Does.HIT:
            page, change = what.events[0].page, 1 if phase == BEGINS else 0
        if page is not NO_PAGE:
            shortages[n] = later[page]
            later[page] = max(0, later[page] + change)
    return shortages


class _Search:
    def __init__(self, calls: SlotCalls, lifetimes: Lifetimes, budget: Budget) -> None:
        self.time = -inf
        self.shortage = 0
        """How many endless puts that have begun the hits that are to begin can need, all of one page."""
        needs = lifetimes.persistent and (calls.misses or calls.denied)
        opens = OpenCalls() if needs else OpenCalls((Layer(inf, ()),))
        self.states: States = {(NOTHING, 0): [(opens, None)]}
        self._budget = budget
        self._kind: Kind | None = None
        self._open: dict[int, tuple[int, Open]] = {}
        """The open calls that have an end, with the bits that stand for them."""
        self._bits: list[int] = []
        self._bits_made = 0
        self._open_hits: Counter[Page] = Counter()
        self._numbers = {page: n for n, page in enumerate(dict.fromkeys(call.answer for call in calls.hits))}

    def begin(self, call: Open) -> None:
        """A call begins."""
        if not self._bits:
            self._bits.append(1 << self._bits_made)
            self._bits_made += 1
        self._open[id(call)] = self._bits.pop(), call
        if call.events[0].does is Does.HIT:
            self._open_hits[call.events[0].page] += 1
        if call.events[0].does in READS:
            before, self.states = self.states, {}
            for state, opens, trail in _each(before):
                _keep(self.states, *self._looked(state, opens, trail))

    def begin_endless(self, call: Endless) -> None:
        """A call begins that never returns."""
        most = self._open_hits[call.page] + self.shortage
        before, self.states = self.states, {}
        for state, opens, trail in _each(before):
            if most:
                number = self._numbers[call.page]
                _keep(self.states, state, opens.with_put(number).capped(number, most), trail)
            else:
                _keep(self.states, state, opens.with_flush(), trail)

    def end(self, call: Open) -> None:
        """A call ends: it has taken effect, if it was sure to."""
        bit, _ = self._open[id(call)]
        reached = self._reached(bit)
        if not call.sure:
            for state, opens, trail in _each(self.states):
                _keep(reached, state, opens, trail)
        del self._open[id(call)]
        self._bits.append(bit)
        does, page = call.events[0].does, call.events[0].page
        self._open_hits[page] -= does is Does.HIT
        self.states = {}
        for (belief, done), opens, trail in _each(reached):
            if does is Does.HIT:
                opens = opens.capped(self._numbers[page], self._open_hits[page] + self.shortage)
            _keep(self.states, (belief, done & ~bit), opens, trail)

    def change_pool(self, kind: Kind | None) -> None:
        """The pool ends, and with it the page; or it is made, of this kind."""
        reached = self._reached(0)
        self._kind = kind
        self.states = {}
        for (_, done), opens, trail in _each(reached):
            _keep(self.states, *self._looked((NOTHING, done), opens, Trail(trail, self.time, kind)))

    def _reached(self, goal: int) -> States:
        # What can come about until the call with this bit has taken effect; 0: all that can.
        reached: States = {}
        seen: States = {}
        todo = list(_each(self.states))
        while todo:
            state, opens, trail = todo.pop()
            if not _keep(seen, state, opens, trail):
                continue
            self._budget.spend()
            if len(seen) > WIDEST:
                raise Spent
            belief, done = state
            if done & goal or not goal:
                _keep(reached, state, opens, trail)
            if done & goal:
                continue
            for bit, call in self._open.values():
                if not done & bit:
                    for now, left, way in self._after(belief, opens, trail, call):
                        todo.append(self._looked((now, done | bit), left, Trail(way, self.time, call.call)))
        return reached

    def _after(
        self, belief: Belief[Page], opens: OpenCalls, trail: Trail | None, call: Open
    ) -> Iterator[tuple[Belief[Page], OpenCalls, Trail | None]]:
        # What may be held when a call takes effect; where it needs one, after a call that never returned.
        for event in call.events:
            if not call.sure and event is FLUSHED and not belief.sure:
                continue  # it need not happen, and would not help
            now = self._learned(belief, event)
            if now is not None:
                yield now, opens, trail
            elif self._kind is not None:
                needed = Needed(event.page, event.does is Does.HIT)
                left = opens.taken_by_hit(self._numbers[event.page]) if needed.hit else opens.taken_by_miss()
                held = Belief(needed.page, self._kind.persistent) if needed.hit else NOTHING
                if left is not None and (now := self._learned(held, event)) is not None:
                    yield now, left, Trail(trail, self.time, needed)

    def _learned(self, belief: Belief[Page], event: Event[Page]) -> Belief[Page] | None:
        if self._kind is not None:
            return learn(self._kind, belief, event)
        return None if event.does in (Does.STORED, Does.HIT) else belief

    def _looked(self, state: State, opens: OpenCalls, trail: Trail | None) -> Way:
        # Gets that change nothing take effect at once: later they could do no more good.
        belief, done = state
        for bit, call in self._open.values():
            if done & bit or call.events[0].does not in READS:
                continue
            if self._learned(belief, call.events[0]) == belief:
                done |= bit
                trail = Trail(trail, self.time, call.call)
        return (belief, done), opens, trail


def _each(states: States) -> Iterator[Way]:
    return ((state, opens, trail) for state, ways in states.items() for opens, trail in ways)


def _keep(states: States, state: State, opens: OpenCalls, trail: Trail | None) -> bool:
    # Whether this adds anything to what is kept.
    ways = states.get(state)
    if ways is None:
        states[state] = [(opens, trail)]
        return True
    if any(kept is opens or kept.allows_all_of(opens) for kept, _ in ways):
        return False
    states[state] = [*((kept, way) for kept, way in ways if not opens.allows_all_of(kept)), (opens, trail)]
    return True
