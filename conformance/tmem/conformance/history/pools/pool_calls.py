"""In which order, and when, the new pools and destroys of a pool id may have taken effect.

Calls on one id that overlap form a knot. The knots of an id follow each other in time, so each can be
ordered on its own, given whether the id was live before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol, TypeAlias

from tmem.conformance.history.calls import Call, Name, Page, Perhaps, end_of
from tmem.conformance.history.partition import Partition, PoolIdCalls
from tmem.conformance.history.slot.lifetimes import Lifetime, Lifetimes
from tmem.spec.abi.flags import kind_of
from tmem.spec.slot import Kind


class PoolCall(NamedTuple):
    """A new pool or destroy that took effect, or (`sure` is False) may have taken effect.

    `kind` and `uuid` are those of the pool that was granted.
    """

    begin: float
    end: float
    makes: bool
    sure: bool
    kind: Kind
    uuid: int | None


class Knot(NamedTuple):
    """New pools and destroys of one id that overlap; `before` is the number of the knot before it."""

    name: Name
    calls: tuple[PoolCall, ...]
    low: float
    high: float
    next_new: float
    """When the next new pool of the id begins."""
    before: int = -1

    @property
    def makes(self) -> bool:
        """Whether a new pool is among them."""
        return any(call.makes for call in self.calls)

    @property
    def wavers(self) -> bool:
        """Whether the order of its calls decides if the id is live after it."""
        return len(self.calls) > 1 or not self.calls[0].sure


class Flush(NamedTuple):
    """A flush object that takes effect on the whole object at one instant, which is to be chosen."""

    name: Name
    oid: Page
    call: Perhaps
    sure: bool
    before: int = -1
    wavers: bool = False
    makes: bool = False

    @property
    def low(self) -> float:
        """The first instant at which it may take effect."""
        return self.call.begin

    @property
    def high(self) -> float:
        """The last instant at which it may take effect."""
        return self.call.end


Choice: TypeAlias = Knot | Flush
"""Calls whose instants are to be chosen."""


class Instant(NamedTuple):
    """When a new pool or destroy of a pool id took effect; or a flush object, if that has one instant."""

    time: float
    name: Name
    what: PoolCall | Call


class Chosen(NamedTuple):
    """One way to choose the instants of a knot or a flush, and whether the id is live after it."""

    instants: tuple[Instant, ...]
    live: bool


class Times(Protocol):
    """Says which instants of a pool call matter, the likeliest first."""

    def new(self, call: PoolCall, soonest: float) -> Sequence[float]:
        """The instants from `soonest` on at which a pool may be made."""

    def destroy(self, call: PoolCall, soonest: float, next_new: float) -> Sequence[float]:
        """The instants from `soonest` on at which it may end, before a new pool that begins at `next_new`."""


def pool_calls(calls: PoolIdCalls) -> list[PoolCall]:
    """The new pools and destroys of one pool id that took effect, or may have."""
    granted = {id(news[0].call): flags for flags, news in _answers(calls) if len(news) == 1}
    found: list[PoolCall] = []
    for n, (begin, end, call) in enumerate(_news(calls)):
        found.append(_made(begin, end, call, n < len(calls.made), granted.get(id(call))))
    found += (PoolCall(call.begin, end_of(call), False, True, Kind(), None) for call in calls.ended)
    found += (PoolCall(begin, end, False, False, Kind(), None) for begin, end, _ in calls.maybe_ended)
    return found


def all_pool_calls(found: Partition) -> dict[Name, list[PoolCall]]:
    """The pool calls of every pool id; a new pool that answered no id has an id of its own."""
    made = {name: pool_calls(found.pools[name]) for name in found.names}
    for begin, end, call in found.unnamed:
        made[call.args[0], call] = [_made(begin, end, call, False, None)]
    return made


def _made(begin: float, end: float, call: Call, sure: bool, flags: Page) -> PoolCall:
    kind = _kind(call, call.args[1] if flags is None else flags)
    uuid = call.args[2] if kind.shared else None
    return PoolCall(begin, end, True, sure, kind, uuid)  # type: ignore[arg-type]  # flags and UUID are integers


def flags_uncertain(calls: PoolIdCalls) -> bool:
    """Whether pool flags answered what some new pool did not ask for, and it is not certain of which pool."""
    granted = {id(news[0].call): flags for flags, news in _answers(calls) if len(news) == 1}
    return any(
        _kind(new.call, granted.get(id(new.call), new.call.args[1])) != _kind(new.call, flags)
        for flags, news in _answers(calls)
        for new in news
    )


def _answers(calls: PoolIdCalls) -> Iterator[tuple[Page, list[Perhaps]]]:
    # What pool flags answered, with the new pools it may be about: those after which none had surely come.
    if not calls.flags:
        return
    news = _news(calls)
    for call in calls.flags:
        last = max((new.begin for new in news if new.end < call.begin), default=-inf)
        yield call.answer, [new for new in news if new.begin <= end_of(call) and new.end >= last]


def _news(calls: PoolIdCalls) -> list[Perhaps]:
    return [*(Perhaps(call.begin, end_of(call), call) for call in calls.made), *calls.maybe_made]


def _kind(new: Call, flags: Page) -> Kind:
    return kind_of(flags, new.args[2])  # type: ignore[arg-type]  # flags and UUID are integers


def knots_of(name: Name, calls: Iterable[PoolCall]) -> list[Knot]:
    """The calls on one id, those that overlap together, in the order of time."""
    groups: list[list[PoolCall]] = []
    high = -inf
    for call in sorted(calls, key=lambda call: (call.begin, call.end)):
        if call.begin > high:
            groups.append([])
        groups[-1].append(call)
        high = max(high, call.end)
    found: list[Knot] = []
    next_new = inf
    for group in reversed(groups):
        found.append(Knot(name, tuple(group), group[0].begin, max(call.end for call in group), next_new))
        next_new = min([next_new, *(call.begin for call in group if call.makes)])
    return found[::-1]


def in_time(choices: Iterable[Choice]) -> list[Choice]:
    """The choices of several ids in the order of time, each knot with the number of the one before it."""
    last: dict[Name, int] = {}
    ordered: list[Choice] = []
    for n, choice in enumerate(sorted(choices, key=lambda choice: choice.low)):
        if isinstance(choice, Knot):
            choice = choice._replace(before=last.get(choice.name, -1))
            last[choice.name] = n
        ordered.append(choice)
    return ordered


def orders(knot: Knot, live: bool, times: Times) -> Iterator[Chosen]:
    """Every way to order the calls of a knot that matters, the likeliest first."""
    return _orders(frozenset(range(len(knot.calls))), live, -inf, knot, times)


def _orders(todo: frozenset[int], live: bool, now: float, knot: Knot, times: Times) -> Iterator[Chosen]:
    calls = knot.calls
    if not any(calls[n].sure for n in todo):
        yield Chosen((), live)
    for n in sorted(todo):
        call, rest = calls[n], todo - {n}
        soonest = max(now, call.begin)
        if (
            soonest > call.end
            or (call.makes and live)
            or any(calls[m].sure and calls[m].end < soonest for m in rest)
        ):
            continue
        if call.makes:
            instants = times.new(call, soonest)
        elif live:
            next_new = min([knot.next_new, *(calls[m].begin for m in rest if calls[m].makes)])
            instants = times.destroy(call, soonest, next_new)
        else:
            instants = [soonest]
        for time in instants:
            for then in _orders(rest, call.makes, time, knot, times):
                yield Chosen((Instant(time, knot.name, call), *then.instants), then.live)


def lifetimes_of(instants: Iterable[Instant]) -> Lifetimes:
    """The lifetimes of one id whose new pools and destroys took effect at these instants."""
    found: list[Lifetime] = []
    for time, _, what in instants:
        if isinstance(what, Call):
            continue
        if what.makes:
            found.append(Lifetime(time, inf, what.kind, what.uuid))
        elif found and found[-1].stop == inf:
            found[-1] = found[-1]._replace(stop=time)
    return Lifetimes(found)


def sharers(made: Mapping[Name, Iterable[PoolCall]]) -> list[list[Name]]:
    """The pool ids, those together that ever shared a pool."""
    groups: dict[Name, list[Name]] = {name: [name] for name in made}
    first: dict[int, Name] = {}
    for name, calls in made.items():
        for call in calls:
            if call.uuid is None:
                continue
            one, other = groups[first.setdefault(call.uuid, name)], groups[name]
            if one is not other:
                one += other
                groups.update((each, one) for each in other)
    return list({id(group): group for group in groups.values()}.values())
