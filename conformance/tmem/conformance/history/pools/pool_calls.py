"""The lives of a pool id: in which order, and when, its new pools and destroys may have taken effect.

Calls that overlap form a knot. The knots of an id follow each other in time, so each can be untied for
itself, given whether the id was live before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple, Protocol

from tmem.conformance.history.calls import Call, Maybe, Page, effect, until
from tmem.conformance.history.partition import Name
from tmem.conformance.history.slot.pool_lifetimes import Era
from tmem.spec.abi.flags import kind_of
from tmem.spec.slot import Does, Kind


class PoolCall(NamedTuple):
    """A new pool or destroy that took effect, or (`sure` is False) may have.

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
        """Whether it depends on how the knot is untied if the id is live after it."""
        return len(self.calls) > 1 or not self.calls[0].sure


class Moment(NamedTuple):
    """When a new pool or destroy of a pool id took effect; or a flush object, where that has one moment."""

    time: float
    name: Name
    what: PoolCall | Call


class Untied(NamedTuple):
    """One way to order the calls of a knot, and whether the id is live after it."""

    moments: tuple[Moment, ...]
    live: bool


class Times(Protocol):
    """Says which moments of a pool call matter, the likeliest first."""

    def new(self, call: PoolCall, soonest: float) -> Sequence[float]:
        """The moments from `soonest` on at which a pool may be made."""

    def destroy(self, call: PoolCall, soonest: float, next_new: float) -> Sequence[float]:
        """The moments from `soonest` on at which it may end, before a new pool that begins at `next_new`."""


def pool_calls(calls: Iterable[Call]) -> list[PoolCall]:
    """What the calls on one pool id come to; those that changed nothing are left out."""
    calls = list(calls)
    granted = _told(calls)
    found: list[PoolCall] = []
    for call in calls:
        if call.op == "new_pool":
            sure = type(call.answer) is int and call.end is not None
            end = until(call) if sure or type(call.answer) is Maybe else inf
            kind = _kind(call, granted.get(id(call), call.args[1]))
            uuid = call.args[2] if kind.shared else None
            found.append(PoolCall(call.begin, end, True, sure, kind, uuid))  # type: ignore[arg-type]
        elif call.op == "destroy_pool" and effect(call) is not Does.NOTHING:
            found.append(PoolCall(call.begin, until(call), False, effect(call) is not None, Kind(), None))
    return found


def untold(calls: Sequence[Call]) -> bool:
    """Whether flags were told that some new pool did not ask for, and it is not certain of which pool."""
    granted = _told(calls)
    return any(
        _kind(new, granted.get(id(new), new.args[1])) != _kind(new, flags)
        for flags, news in _tellings(calls)
        for new in news
    )


def _told(calls: Sequence[Call]) -> dict[int, Page]:
    # The flags that were told of the pools of new pools, where it is certain of which.
    return {id(news[0]): flags for flags, news in _tellings(calls) if len(news) == 1}


def _tellings(calls: Sequence[Call]) -> Iterator[tuple[Page, list[Call]]]:
    # Flags that were told, with the new pools that they may be of: those after which none had surely come.
    news = [call for call in calls if call.op == "new_pool"]
    for call in calls:
        if call.op == "pool_flags" and type(call.answer) is int and call.end is not None:
            last = max((new.begin for new in news if until(new) < call.begin), default=-inf)
            end = call.end
            yield call.answer, [new for new in news if new.begin <= end and until(new) >= last]


def _kind(new: Call, flags: Page) -> Kind:
    return kind_of(flags, new.args[2])  # type: ignore[arg-type]


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


def untie(knot: Knot, live: bool, times: Times) -> Iterator[Untied]:
    """Every way to order the calls of a knot that matters, the likeliest first."""
    return _orders(frozenset(range(len(knot.calls))), live, -inf, knot, times)


def _orders(todo: frozenset[int], live: bool, now: float, knot: Knot, times: Times) -> Iterator[Untied]:
    calls = knot.calls
    if not any(calls[n].sure for n in todo):
        yield Untied((), live)
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
            moments = times.new(call, soonest)
        elif live:
            next_new = min([knot.next_new, *(calls[m].begin for m in rest if calls[m].makes)])
            moments = times.destroy(call, soonest, next_new)
        else:
            moments = [soonest]
        for time in moments:
            for then in _orders(rest, call.makes, time, knot, times):
                yield Untied((Moment(time, knot.name, call), *then.moments), then.live)


def lives(moments: Iterable[Moment]) -> list[Era]:
    """The lives of one id that its moments make."""
    found: list[Era] = []
    for time, _, what in moments:
        if isinstance(what, Call):
            continue
        if what.makes:
            found.append(Era(time, inf, what.kind, what.uuid))
        elif found and found[-1].stop == inf:
            found[-1] = found[-1]._replace(stop=time)
    return found


def sharers(made: dict[Name, list[PoolCall]]) -> list[list[Name]]:
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
