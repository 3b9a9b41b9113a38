"""Decides whether a history can have happened one call at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tmem.conformance.history.calls import Call
from tmem.conformance.history.counterexample.blame import blame
from tmem.conformance.history.counterexample.minimize import involved, meeting, nearest, smallest
from tmem.conformance.history.integrity import stale
from tmem.conformance.history.partition import Split, split
from tmem.conformance.history.pools.pool_calls import Moment, pool_calls, sharers, untold
from tmem.conformance.history.pools.private import Pool
from tmem.conformance.history.pools.search import settle
from tmem.conformance.history.pools.shared import SharedPools
from tmem.conformance.history.slot.clusters import Conflict
from tmem.conformance.history.slot.frontier import Budget, Spent
from tmem.conformance.history.slot.linearization import Order


@dataclass(frozen=True, slots=True)
class Legal:
    """The history can have happened one call at a time.

    `moments` are those at which pools were made and ended; `orders` finds an order for each slot, which
    `replay.objection` checks against the spec.
    """

    calls: int
    moments: tuple[Moment, ...] = field(repr=False)
    orders: Callable[[], Iterator[Order]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Illegal:
    """It cannot have: already the calls of the window, in the order of their begins, cannot.

    No call can be left out of the window. `reason` is one sentence.
    """

    clause: str
    reason: str
    window: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no answer: the budget of states is spent, or a choice was not searched."""

    reason: str


Result: TypeAlias = Legal | Illegal | Unknown


Pools: TypeAlias = Pool | SharedPools

STATES = 5_000_000
"""The budget of states, which are what a slot may hold with what has happened; it lasts about a minute."""
WINDOW_STATES = 1_000_000
"""The budget for the search of the smallest window."""


def check(
    calls: Iterable[Call], *, level: str = "linearizable", claims: Collection[str] = (), budget: int = STATES
) -> Result:
    """Whether a history can have happened one call at a time, on pools that did not exist before it.

    At the level `integrity` it is asked only that no get showed a torn, foreign or stale page. The claim
    `atomic-flush` asks that flush object has one moment for the whole object. `budget` is a number of states.
    """
    if level == "integrity":
        return _integrity(split(calls))
    atomic_flush = "atomic-flush" in claims
    found = split(calls)
    settled: list[tuple[Pools, list[Moment]]] = []
    doubt: Unknown | None = None
    states = Budget(budget)
    for pools in _groups(found, states, atomic_flush):
        moments = _settled(pools, found)
        if isinstance(moments, Conflict):
            return _illegal(found, pools, moments, atomic_flush)
        if isinstance(moments, Unknown):
            doubt = doubt or moments
        else:
            settled.append((pools, moments))
    if doubt is not None:
        return doubt

    def orders() -> Iterator[Order]:
        for pools, moments in settled:
            yield from pools.orders(moments)

    return Legal(found.count, tuple(moment for _, moments in settled for moment in moments), orders)


def _settled(pools: Pools, found: Split) -> list[Moment] | Conflict | Unknown:
    if any(untold(found.pools.get(name, ())) for name in pools.names):
        return Unknown("Of which pool flags were told is not certain, and some pool had not asked for them.")
    try:
        settled = settle(pools)
        if isinstance(settled, Conflict) and pools.doubt:
            pools.latest = True
            settled = settle(pools)
            if isinstance(settled, Conflict):
                return Unknown(
                    "Calls overlap several lives of a shared pool, and not every choice was tried."
                )
        if pools.mixed and not isinstance(settled, Conflict):
            pools.strict = True
            settled = settle(pools)
            if isinstance(settled, Conflict):
                return Unknown("Sharers took a pool as of different kinds: what holds then is not said.")
    except Spent:
        return Unknown("The budget of states is spent.")
    return settled


def _groups(found: Split, budget: Budget, atomic_flush: bool) -> Iterator[Pools]:
    made = {name: pool_calls(found.pools[name]) for name in {*found.slots, *found.flushes, *found.pools}}
    made |= {(call.args[0], call): pool_calls([call]) for call in found.unnamed}
    for names in sharers(made):
        calls = {name: made[name] for name in names}
        if len(names) > 1 or len({call.uuid for call in calls[names[0]] if call.makes}) > 1:
            yield SharedPools(calls, found, budget, atomic_flush)
        else:
            yield Pool(names[0], calls[names[0]], found, budget, atomic_flush)


def _integrity(found: Split) -> Legal | Illegal:
    wrong = next(stale(found), None)
    if wrong is None:
        return Legal(found.count, (), lambda: iter(()))
    name, hit = wrong

    def judge(calls: Sequence[Call]) -> Conflict | None:
        some = next(stale(split(calls)), None)
        return None if some is None else Conflict(some[1].begin, some[1].begin)

    slot = sorted(found.of(found.slots, name[2:]), key=lambda call: call.begin)
    for calls in (nearest(slot, hit), slot):
        if judge(calls) is not None:
            break
    clause, reason, window = blame(smallest(calls, judge), found)
    return Illegal(clause, reason, tuple(window))


def _illegal(found: Split, pools: Pools, conflict: Conflict, atomic_flush: bool) -> Illegal:
    budget = Budget(WINDOW_STATES)

    def judge(calls: Sequence[Call]) -> Conflict | None:
        try:
            found = split(calls)
            for group in _groups(found, budget, atomic_flush):
                if isinstance(moments := _settled(group, found), Conflict):
                    return moments
        except Spent:
            pass
        return None

    slot = found.of(pools.names, pools.failing)
    for calls in (involved(slot, conflict), meeting(slot, conflict), slot, found.of(pools.names)):
        if judge(calls) is not None:
            clause, reason, window = blame(smallest(calls, judge), found, atomic_flush)
            return Illegal(clause, reason, tuple(window))
    return Illegal("TMEM-CONC-1", "These calls cannot have happened one by one.", tuple(slot))
