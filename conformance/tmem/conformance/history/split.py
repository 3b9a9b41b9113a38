"""Splits a history: into the calls of each slot, the flushes of each object, the calls on each pool id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tmem.conformance.history.calls import Call, Page

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
        self.unnamed: list[Call] = []
        """New pools that answered no id."""


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
        if call.op == "new_pool" and type(call.answer) is not int:
            found.unnamed.append(call)
        elif call.op == "new_pool":
            found.pools[call.args[0], call.answer].append(call)
        elif call.op != "reclaim":
            found.pools[call.args].append(call)
    return found
