"""The frontier: everything that a slot may hold and the open calls that took effect, moment by moment.

It decides one slot whatever its pages are: at each end of a call, and when its pool is made or ends, all
orders in which open calls may take effect are tried, and each outcome is kept once. That takes time
exponential in the calls that are open together. So `zones` and `misses` decide what they can, and this is
for pages that were put more than once; its budget is a number of states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import Final, NamedTuple, TypeAlias

from tmem.conformance.history.calls import Call, Page, effect, until
from tmem.conformance.history.slot.clusters import Conflict
from tmem.conformance.history.slot.pool_lifetimes import Eras
from tmem.spec.belief import Belief, learn
from tmem.spec.slot import Does, Event, Kind


class Spent(Exception):  # noqa: N818  # no error of anybody's
    """The budget of states is spent before an answer is found."""


class Budget:
    """How many states may still be visited."""

    def __init__(self, states: int) -> None:
        self.left = states

    def spend(self, states: int = 1) -> None:
        """Visit states; raises Spent when there are none left."""
        self.left -= states
        if self.left < 0:
            raise Spent


class Open(NamedTuple):
    """A call that has begun: the bit that stands for it, and what it may do to the slot."""

    bit: int
    events: tuple[Event[Page], ...]
    call: Call


class Step(NamedTuple):
    """What took effect at some time, after which step: a call, a pool that was made, or (None) its end."""

    before: Step | None
    time: float
    what: Call | Kind | None


NOTHING: Belief[Page] = Belief()
Config: TypeAlias = tuple[Belief[Page], int]
"""What the slot may hold, and the bits of the open calls that have taken effect."""
Configs: TypeAlias = dict[Config, Step | None]
"""Each with one way in which it came about."""

WIDEST: Final = 200_000
"""States at one moment beyond which there is no answer, since they are all kept: about 100 MB."""
READS: Final = frozenset({Does.HIT, Does.MISS, Does.DENIED})


def events_of(call: Call) -> tuple[Event[Page], ...]:
    """What a call may have done to a slot that it covers.

    >>> [event.does.value for event in events_of(Call(0, 1, None, "put", (1, 0, 7, 3, "page"), None))]
    ['put stored', 'put failed']
    """
    match effect(call), call.op:
        case Does.NOTHING, _:
            return ()
        case Does.STORED, _:
            return (Event(Does.STORED, call.args[4]),)
        case Does.HIT, _:
            return (Event(Does.HIT, call.answer),)
        case Does() as happened, _:
            return (Event(happened),)
        case None, "put":
            return (Event(Does.STORED, call.args[4]), Event(Does.REFUSED))
        case None, "get":
            return ()
    return (Event(Does.FLUSHED),)


def explore(calls: Iterable[Call], eras: Eras, budget: Budget) -> Configs | Conflict:
    """What a slot may hold after all calls; or up to when they can be ordered, and no further."""
    search = _Search(budget)
    for time, _, _, what in sorted(_agenda(calls, eras), key=lambda moment: moment[:3]):
        search.time = time
        if isinstance(what, Begun):
            search.begin(what)
        elif isinstance(what, Call):
            search.end(what)
        else:
            search.turn(what)
        if not search.configs:
            return Conflict(-inf, time)
    return search.configs


class Begun(NamedTuple):
    """A call that begins, with what it may do."""

    call: Call
    events: tuple[Event[Page], ...]


def _agenda(
    calls: Iterable[Call], eras: Eras
) -> Iterator[tuple[float, int, int, Begun | Call | Kind | None]]:
    # Where times are equal, calls begin first and end last: what touches may overlap.
    for n, call in enumerate(calls):
        if events := events_of(call):
            yield call.begin, 0, n, Begun(call, events)
            if (end := until(call)) != inf:
                yield end, 2, n, call
    for n, (start, stop, kind) in enumerate(zip(eras.starts, eras.stops, eras.kinds, strict=True)):
        yield start, 1, 2 * n, kind
        if stop != inf:
            yield stop, 1, 2 * n + 1, None


class _Search:
    def __init__(self, budget: Budget) -> None:
        self.time = -inf
        self.configs: Configs = {(NOTHING, 0): None}
        self._budget = budget
        self._kind: Kind | None = None
        self._open: dict[int, Open] = {}
        self._bits: list[int] = []
        self._bits_made = 0

    def begin(self, begun: Begun) -> None:
        """A call begins."""
        if not self._bits:
            self._bits.append(1 << self._bits_made)
            self._bits_made += 1
        self._open[id(begun.call)] = Open(self._bits.pop(), begun.events, begun.call)
        self.configs = dict(self._looked(config, step) for config, step in self.configs.items())

    def end(self, call: Call) -> None:
        """A call ends: it has taken effect, if it was sure to."""
        bit = self._open[id(call)].bit
        reached = self._reached(bit)
        if effect(call) is None:
            reached = {**self.configs, **reached}
        del self._open[id(call)]
        self._bits.append(bit)
        self.configs = {(belief, done & ~bit): step for (belief, done), step in reached.items()}

    def turn(self, kind: Kind | None) -> None:
        """The pool ends, and with it the page; or it is made, of this kind."""
        reached = self._reached(0)
        self._kind = kind
        self.configs = {}
        for (_, done), step in reached.items():
            config, step = self._looked((NOTHING, done), Step(step, self.time, kind))
            self.configs[config] = step

    def _reached(self, goal: int) -> Configs:
        # What can come about until the call with this bit has taken effect; 0: all that can.
        reached: Configs = {}
        seen: set[Config] = set()
        todo = list(self.configs.items())
        while todo:
            config, step = todo.pop()
            if config in seen:
                continue
            seen.add(config)
            self._budget.spend()
            if len(seen) > WIDEST:
                raise Spent
            belief, done = config
            if done & goal or not goal:
                reached[config] = step
            if done & goal:
                continue
            for bit, events, call in self._open.values():
                if done & bit:
                    continue
                for event in events:
                    now = self._learned(belief, event)
                    if now is not None:
                        todo.append(self._looked((now, done | bit), Step(step, self.time, call)))
        return reached

    def _learned(self, belief: Belief[Page], event: Event[Page]) -> Belief[Page] | None:
        if self._kind is not None:
            return learn(self._kind, belief, event)
        return None if event.does in (Does.STORED, Does.HIT) else belief

    def _looked(self, config: Config, step: Step | None) -> tuple[Config, Step | None]:
        # Gets that change nothing take effect at once: later they could do no more good.
        belief, done = config
        for bit, events, call in self._open.values():
            if not done & bit and events[0].does in READS and self._learned(belief, events[0]) == belief:
                done |= bit
                step = Step(step, self.time, call)
        return (belief, done), step
