"""Integrity: whether each page that was hit had been put there, and had not ended (`tmem.spec.integrity`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from math import inf
from typing import NamedTuple

from tmem.conformance.history.calls import Call, Name, Page, end_of, page_of
from tmem.conformance.history.partition import Partition, PoolIdCalls, SlotCalls
from tmem.conformance.history.pools.pool_calls import flags_uncertain, pool_calls
from tmem.conformance.history.slot.clusters import Interval
from tmem.conformance.history.slot.zones import Intervals
from tmem.spec.slot import Kind

NOWHERE = frozenset[Hashable]()


class Grants(NamedTuple):
    """What a pool id was granted for, over all of the history: UUIDs, or for private pools the name."""

    pools: frozenset[Hashable]
    kinds: frozenset[Kind]


class Pages:
    """The pages that may have been put into a slot, and the calls that certainly ended some."""

    def __init__(self) -> None:
        self.puts: dict[Page, list[Interval]] = defaultdict(list)
        self.hits: dict[Page, list[Interval]] = defaultdict(list)
        self.ends: list[Interval] = []
        self.misses: list[Interval] = []
        self._inside: dict[bool, Intervals] = {}

    def add(self, calls: SlotCalls, certain: bool) -> None:
        """Add calls of an id that stood for the slot's pool; `certain` says that it stood for no other."""
        for call in calls.stored:
            self.puts[page_of(call)].append((call.begin, end_of(call) if certain else inf))
        for begin, end, call in calls.maybe_stored:
            self.puts[page_of(call)].append((begin, end))
        if not certain:
            return
        self.ends += ((call.begin, end_of(call)) for call in (*calls.stored, *calls.emptied))
        self.misses += ((call.begin, end_of(call)) for call in calls.misses)
        for call in calls.hits:
            self.hits[call.answer].append((call.begin, end_of(call)))

    def had(self, hit: Call, grants: Grants) -> bool:
        """Whether the page of a hit had been put into the slot, and had not ended."""
        begin, end = hit.begin, end_of(hit)
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


def stale(found: Partition) -> Iterator[tuple[Name, Call]]:
    """The hits that showed a page they should not have shown, with the names of their slots."""
    grants = {name: _grants(name, calls) for name, calls in found.pools.items()}
    pages = _pages(found, grants)
    for name, targets in found.slots.items():
        granted = grants.get(name, Grants(NOWHERE, frozenset()))
        for target, calls in targets.items():
            meet = [pages[pool, *target[2:]] for pool in granted.pools]
            for hit in calls.hits:
                if not any(each.had(hit, granted) for each in meet):
                    yield target, hit


def _grants(name: Name, calls: PoolIdCalls) -> Grants:
    made = [call for call in pool_calls(calls) if call.makes and call.sure]
    pools = frozenset[Hashable](name if call.uuid is None else call.uuid for call in made)
    kinds = frozenset(call.kind for call in made)
    if flags_uncertain(calls):  # nothing is held against a pool that may be of any kind
        asked = (call.args[2] for call in calls.made)
        return Grants(pools | {name, *asked} - {None}, kinds | {Kind(persistent=True, shared=True)})
    return Grants(pools, kinds)


def _pages(found: Partition, grants: dict[Name, Grants]) -> dict[tuple[Hashable, ...], Pages]:
    pages: dict[tuple[Hashable, ...], Pages] = defaultdict(Pages)
    for name, granted in grants.items():
        certain = len(granted.pools) == 1
        for pool in granted.pools:
            for target, calls in found.slots.get(name, {}).items():
                pages[pool, *target[2:]].add(calls, certain)
    by_object: dict[tuple[Hashable, ...], list[Pages]] = defaultdict(list)
    for key, each in pages.items():
        by_object[key[:2]].append(each)
        pool = key[0]
        if pool in grants and len(grants[pool].pools) == 1:  # a private pool, by its name
            ended = found.pools[pool].ended
            each.ends += ((call.begin, end_of(call)) for call in ended)
    for name, granted in grants.items():
        if len(granted.pools) == 1:
            for target, calls in found.objects.get(name, {}).items():
                for pool in granted.pools:
                    for each in by_object.get((pool, target[2]), ()):
                        each.add(calls, certain=True)
    return pages
