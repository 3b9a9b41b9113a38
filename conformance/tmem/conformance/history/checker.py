"""Decides whether a history can have happened one call at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tmem.conformance.history.calls import Call
from tmem.conformance.history.clusters import Conflict
from tmem.conformance.history.frontier import Budget, Spent
from tmem.conformance.history.lives import Moment, PoolCall, pool_calls
from tmem.conformance.history.order import Order
from tmem.conformance.history.private import PrivatePool
from tmem.conformance.history.results import Illegal, Legal, Result, Unknown
from tmem.conformance.history.settle import settle
from tmem.conformance.history.shared import SharedPools
from tmem.conformance.history.split import Name, Split, split

STATES = 20_000_000
"""The budget of states: what a slot may hold together with what has happened, visited once."""


def check(calls: Iterable[Call], *, budget: int = STATES) -> Result:
    """Whether a history can have happened one call at a time, on pools that did not exist before it."""
    found = split(calls)
    pools: list[tuple[PrivatePool | SharedPools, list[Moment]]] = []
    doubt: Unknown | None = None
    states = Budget(budget)
    for group in _groups(found, states):
        try:
            settled = _settled(group)
        except Spent:
            settled = Unknown("The budget of states is spent.")
        if isinstance(settled, Conflict):
            return Illegal("TMEM-CONC-1", str(settled), ())
        if isinstance(settled, Unknown):
            doubt = doubt or settled
        else:
            pools.append((group, settled))
    if doubt is not None:
        return doubt

    def orders() -> Iterator[Order]:
        for group, moments in pools:
            yield from group.orders(moments)

    return Legal(found.count, tuple(moment for _, moments in pools for moment in moments), orders)


def _settled(pools: PrivatePool | SharedPools) -> list[Moment] | Conflict | Unknown:
    settled = settle(pools)
    if isinstance(settled, Conflict) and pools.doubt:
        pools.latest = True
        settled = settle(pools)
        if isinstance(settled, Conflict):
            return Unknown("Calls overlap several lives of a shared pool, and not every choice was tried.")
    if pools.mixed and not isinstance(settled, Conflict):
        pools.strict = True
        settled = settle(pools)
        if isinstance(settled, Conflict):
            return Unknown("Sharers took a pool as of different kinds, and what holds then is not said.")
    return settled


def _groups(found: Split, budget: Budget) -> Iterator[PrivatePool | SharedPools]:
    made = {name: pool_calls(found.pools[name]) for name in {*found.slots, *found.flushes, *found.pools}}
    made |= {(call.args[0], call): pool_calls([call._replace(end=None)]) for call in found.unnamed}
    for names in _sharers(made):
        calls = {name: made[name] for name in names}
        if any(call.uuid is not None for each in calls.values() for call in each):
            yield SharedPools(calls, found, budget)
        else:
            yield PrivatePool(names[0], calls[names[0]], found, budget)


def _sharers(made: dict[Name, list[PoolCall]]) -> list[list[Name]]:
    # The pool ids, those together that ever shared a pool.
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
