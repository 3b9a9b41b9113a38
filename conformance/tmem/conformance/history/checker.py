"""Decides whether a history can have happened one call at a time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from tmem.conformance.history.calls import Call
from tmem.conformance.history.counterexample.explain import explain
from tmem.conformance.history.counterexample.minimize import involved, meeting, nearest, smallest
from tmem.conformance.history.integrity import stale
from tmem.conformance.history.interpret import interpret
from tmem.conformance.history.partition import Partition
from tmem.conformance.history.pools.pool_calls import Instant, all_pool_calls, flags_uncertain, sharers
from tmem.conformance.history.pools.private import PrivatePools
from tmem.conformance.history.pools.search import find_instants
from tmem.conformance.history.pools.shared import SharedPools
from tmem.conformance.history.slot.budget import Budget, Spent
from tmem.conformance.history.slot.clusters import Conflict
from tmem.conformance.history.slot.linearization import Linearization


@dataclass(frozen=True, slots=True)
class Legal:
    """The history can have happened one call at a time.

    `instants` are those at which pools were made and ended. `linearizations` finds one for each slot;
    `slot.certificate.objection` checks it against the spec.
    """

    calls: int
    instants: tuple[Instant, ...] = field(repr=False)
    linearizations: Callable[[], Iterator[Linearization]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Illegal:
    """It cannot: the calls of the window alone, in the order of their begins, cannot.

    No call can be left out of the window, unless the search for a smaller one was given up. `reason` is one
    sentence.
    """

    clause: str
    reason: str
    window: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no answer: the budget of states is spent, or a choice was not searched."""

    reason: str


Result: TypeAlias = Legal | Illegal | Unknown
Pools: TypeAlias = PrivatePools | SharedPools

STATES = 5_000_000
"""The budget of states, which are what a slot may hold with what has happened; it lasts about a minute."""
WINDOW_STATES = 100_000
"""The budget for the search of a small window; it lasts about a second."""
FLAGS_UNCERTAIN = "Pool flags that no new pool asked for may be those of several pools."
TOO_MANY_CHOICES = "Calls overlap several lifetimes of a shared pool, and not every choice was tried."
MIXED = "A shared pool was joined as of another kind than its maker's."


def check(
    calls: Iterable[Call], *, level: str = "linearizable", claims: Collection[str] = (), budget: int = STATES
) -> Result:
    """Whether a history can have happened one call at a time, on pools that did not exist before it.

    The level `integrity` asks only that no get showed a torn, foreign or stale page. The claim `atomic-flush`
    asks that flush object takes effect on the whole object at one instant. `budget` is a number of states.

    Single answers are left to the judge. A call that answered what nobody declares counts as one that never
    returned. On an id without a pool, only a put that was stored and a get that hit count as wrong.
    """
    with _no_collection():
        return _check(interpret(calls), level, "atomic-flush" in claims, budget)


@contextmanager
def _no_collection() -> Iterator[None]:
    # Millions of small objects are made, none of them in cycles: collection would take a quarter of the time.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check(found: Partition, level: str, atomic_flush: bool, budget: int) -> Result:
    if level == "integrity":
        return _integrity(found)
    decided: list[tuple[Pools, list[Instant]]] = []
    doubt: Unknown | None = None
    states = Budget(budget)
    for pools in _groups(found, states, atomic_flush):
        instants = _decide(pools, found)
        if isinstance(instants, Conflict):
            return _illegal(found, pools, instants, atomic_flush)
        if isinstance(instants, Unknown):
            doubt = doubt or instants
        else:
            decided.append((pools, instants))
    if doubt is not None:
        return doubt

    def linearizations() -> Iterator[Linearization]:
        states.left = budget  # slots that were searched are searched again
        for pools, instants in decided:
            yield from pools.linearizations(instants)

    return Legal(found.count, tuple(each for _, instants in decided for each in instants), linearizations)


def _decide(pools: Pools, found: Partition) -> list[Instant] | Conflict | Unknown:
    if any(flags_uncertain(found.pools[name]) for name in pools.names if name in found.pools):
        return Unknown(FLAGS_UNCERTAIN)
    try:
        result = find_instants(pools)
        if isinstance(result, Conflict) and pools.doubt:
            pools.latest = True
            result = find_instants(pools)
            if isinstance(result, Conflict):
                return Unknown(TOO_MANY_CHOICES)
        if pools.mixed and not isinstance(result, Conflict):
            return Unknown(MIXED)
    except Spent:
        return Unknown("The budget of states is spent.")
    return result


def _groups(found: Partition, budget: Budget, atomic_flush: bool) -> Iterator[Pools]:
    made = all_pool_calls(found)
    for names in sharers(made):
        calls = {name: made[name] for name in names}
        if len(names) > 1 or len({call.uuid for call in calls[names[0]] if call.makes}) > 1:
            yield SharedPools(calls, found, budget, atomic_flush)
        else:
            yield PrivatePools(names[0], calls[names[0]], found, budget, atomic_flush)


def _integrity(found: Partition) -> Legal | Illegal:
    wrong = next(stale(found), None)
    if wrong is None:
        return Legal(found.count, (), lambda: iter(()))
    name, hit = wrong

    def conflict(calls: Sequence[Call], perhaps: Sequence[Call]) -> Conflict | None:
        some = next(stale(interpret(calls, perhaps)), None)
        return None if some is None else Conflict(some[1].begin, some[1].begin)

    slot = sorted(found.calls_on(found.slots, name[2:]), key=lambda call: call.begin)
    for calls in (nearest(slot, hit), slot):
        if conflict(calls, ()) is not None:
            break
    clause, reason, window = explain(smallest(calls, conflict), found)
    return Illegal(clause, reason, tuple(window))


def _illegal(found: Partition, pools: Pools, first: Conflict, atomic_flush: bool) -> Illegal:
    budget = Budget(WINDOW_STATES)

    def conflict(calls: Sequence[Call], perhaps: Sequence[Call]) -> Conflict | None:
        some = interpret(calls, perhaps)
        try:
            for group in _groups(some, budget, atomic_flush):
                if isinstance(result := _decide(group, some), Conflict):
                    return result
        except Spent:
            pass
        return None

    slot = found.calls_on(pools.names, pools.failing)
    for calls in (involved(slot, first), meeting(slot, first), slot, found.calls_on(pools.names)):
        if conflict(calls, ()) is not None:
            clause, reason, window = explain(smallest(calls, conflict), found, atomic_flush)
            return Illegal(clause, reason, tuple(window))
    return Illegal("TMEM-CONC-1", "These calls cannot have happened one at a time.", tuple(slot))
