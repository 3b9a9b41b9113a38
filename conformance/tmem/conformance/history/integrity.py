"""Integrity: whether each page that was hit had been put there, and had not ended (`tmem.spec.integrity`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from tmem.conformance.history.calls import Call, Page, effect, until
from tmem.conformance.history.partition import Name, Split
from tmem.conformance.history.pools.pool_calls import pool_calls, untold
from tmem.conformance.history.slot.clusters import Interval
from tmem.conformance.history.slot.zones import Intervals
from tmem.spec.slot import Does, Kind

NOWHERE = frozenset[Hashable]()


class Grants(NamedTuple):
    """What a pool id was granted for, over all of the history: UUIDs, or for private pools the name."""

    pools: frozenset[Hashable]
    kinds: frozenset[Kind]


class Slot:
    """The calls that may concern a slot: any that may have put pages, and those that surely ended some."""

    def __init__(self) -> None:
        self.puts: dict[Page, list[Interval]] = defaultdict(list)
        self.hits: dict[Page, list[Interval]] = defaultdict(list)
        self.ends: list[Interval] = []
        self.misses: list[Interval] = []
        self._inside: dict[bool, Intervals] = {}

    def add(self, calls: Iterable[Call], certain: bool) -> None:
        """Add calls of an id that stood for the slot's pool; `certain` says that it stood for no other."""
        for call in calls:
            happened, interval = effect(call), (call.begin, until(call))
            if happened is Does.STORED or (happened is None and call.op == "put"):
                self.puts[call.args[4]].append(interval if certain else (call.begin, inf))
            if not certain:
                continue
            if happened in (Does.STORED, Does.REFUSED, Does.FLUSHED, Does.ENDED):
                self.ends.append(interval)
            elif happened is Does.MISS:
                self.misses.append(interval)
            elif happened is Does.HIT:
                self.hits[call.answer].append(interval)

    def shows_rightly(self, hit: Call, grants: Grants) -> bool:
        """Whether the page of a hit had been put into the slot, and had not ended."""
        begin, end = hit.begin, until(hit)
        returned = max(
            (returned for began, returned in self.puts.get(hit.answer, ()) if began <= end), default=None
        )
        if returned is None or returned >= begin or len(grants.pools) > 1:
            return returned is not None
        exclusive = all(kind.exclusive for kind in grants.kinds)
        if exclusive and any(returned < other[0] and other[1] < begin for other in self.hits[hit.answer]):
            return False
        return not self._ends(not any(kind.persistent for kind in grants.kinds)).one_inside(returned, begin)

    def _ends(self, vanish: bool) -> Intervals:
        # Where pages may vanish, a miss says that the page was gone.
        if vanish not in self._inside:
            self._inside[vanish] = Intervals([*self.ends, *(self.misses if vanish else ())])
        return self._inside[vanish]


def stale(found: Split) -> Iterator[tuple[Name, Call]]:
    """The hits that showed a page they should not have, with the names of their slots."""
    grants = {name: _grants(name, calls) for name, calls in found.pools.items()}
    slots = _slots(found, grants)
    for name, targets in found.slots.items():
        granted = grants.get(name, Grants(NOWHERE, frozenset()))
        for target, calls in targets.items():
            meet = [slots[pool, *target[2:]] for pool in granted.pools]
            for call in calls:
                if effect(call) is Does.HIT and not any(slot.shows_rightly(call, granted) for slot in meet):
                    yield target, call


def _grants(name: Name, calls: Sequence[Call]) -> Grants:
    made = [call for call in pool_calls(calls) if call.makes and call.sure]
    pools = frozenset[Hashable](name if call.uuid is None else call.uuid for call in made)
    kinds = frozenset(call.kind for call in made)
    if untold(calls):  # nothing is held against a pool that may be of any kind
        asked = (call.args[2] for call in calls if call.op == "new_pool")
        return Grants(pools | {name, *asked} - {None}, kinds | {Kind(persistent=True, shared=True)})
    return Grants(pools, kinds)


def _slots(found: Split, grants: dict[Name, Grants]) -> dict[tuple[Hashable, ...], Slot]:
    slots: dict[tuple[Hashable, ...], Slot] = defaultdict(Slot)
    for name, granted in grants.items():
        certain = len(granted.pools) == 1
        for pool in granted.pools:
            for target, calls in found.slots.get(name, {}).items():
                slots[pool, *target[2:]].add(calls, certain)
    by_object: dict[tuple[Hashable, ...], list[Slot]] = defaultdict(list)
    for key, slot in slots.items():
        by_object[key[:2]].append(slot)
        if key[0] in grants and len(grants[key[0]].pools) == 1:  # a private pool, by its name
            slot.add((call for call in found.pools[key[0]] if call.op == "destroy_pool"), certain=True)
    for name, granted in grants.items():
        if len(granted.pools) == 1:
            for target, calls in found.flushes.get(name, {}).items():
                for pool in granted.pools:
                    for slot in by_object.get((pool, target[2]), ()):
                        slot.add(calls, certain=True)
    return slots
