"""Splits a history: into the calls of each slot, the flushes of each object, the calls on each pool id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tmem.conformance.history.calls import Call, Maybe, Page, effect

Name = tuple[Page, ...]
"""⟨client, pool id⟩, or with an object id and an index the name of a slot."""


class Split:
    """The calls of a history by what they concern."""

    def __init__(self) -> None:
        self.count = 0
        self.slots: dict[Name, dict[Name, list[Call]]] = defaultdict(dict)
        """Puts, gets and flush pages by pool id and slot."""
        self.flushes: dict[Name, dict[Name, list[Call]]] = defaultdict(dict)
        """Flush objects by pool id and object."""
        self.pools: dict[Name, list[Call]] = defaultdict(list)
        """New pools (by the id they answered), destroys and flags of a pool id."""
        self.reclaims: list[Call] = []
        self.unnamed: list[Call] = []
        """New pools that may have made a pool, of an id that they did not answer."""

    def of(self, names: Iterable[Name], place: Name = ()) -> list[Call]:
        """The calls on these pool ids; of those on pages, only on this object id and index, if given."""
        found = list(self.unnamed)
        for name in names:
            found += self.pools.get(name, [])
            for target, calls in self.flushes.get(name, {}).items():
                if target[2:] == place[:1] or not place:
                    found += calls
            for target, calls in self.slots.get(name, {}).items():
                if target[2:] == place or not place:
                    found += calls
        return found


def split(calls: Iterable[Call]) -> Split:
    """The calls of a history, sorted out; each list is in the order in which they came."""
    slots: dict[Name, list[Call]] = defaultdict(list)
    flushes: dict[Name, list[Call]] = defaultdict(list)
    found = Split()
    others: list[Call] = []
    for call in calls:
        args = call[4]
        many = len(args)
        if many == 4:
            slots[args].append(call)
        elif many == 5:
            slots[args[:4]].append(call)
        elif call[3] == "flush_object":
            flushes[args].append(call)
        else:
            others.append(call)
    for name, each in slots.items():
        found.slots[name[:2]][name] = each
        found.count += len(each)
    for name, each in flushes.items():
        found.flushes[name[:2]][name] = each
        found.count += len(each)
    found.count += len(others)
    for call in others:
        if call.op == "new_pool":
            granted = call.answer.answer if type(call.answer) is Maybe else call.answer
            if type(granted) is int:
                found.pools[call.args[0], granted].append(call)
            elif effect(call) is None:
                found.unnamed.append(call)
        elif call.op == "reclaim":
            found.reclaims.append(call)
        else:
            found.pools[call.args].append(call)
    return found
