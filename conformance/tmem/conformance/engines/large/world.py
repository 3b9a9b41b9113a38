"""What a large program showed of its target: how many of everything there were, for the report."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tmem.conformance.engines.large.areas import SLOTS
from tmem.conformance.engines.large.perform import Performer
from tmem.conformance.engines.large.phases import Phase, Verb
from tmem.conformance.engines.large.record import BELIEF

LOOK: Final = 64
"""Puts of a phase from which on it is worth counting what the store holds."""


def held(performer: Performer, phase: Phase) -> Counter[str]:
    """How many pages and objects the store may hold, after a phase that put many."""
    found: Counter[str] = Counter()
    if phase.verb is not Verb.PUT or phase.count * phase.pools < LOOK:
        return found
    objects: Counter[tuple[int, int, int]] = Counter()
    areas = performer.program.areas
    places = {id(each.place): each.place for each in performer.ledger.pools.members if each.live}
    for number, place in places.items():
        for slot, record in place.records.items():
            if record & BELIEF:
                area, n = divmod(slot, SLOTS)
                objects[number, area, n // areas[area].width] += 1
    found["pages"] = objects.total()
    found["objects"] = len(objects)
    found["pages of an object"] = max(objects.values(), default=0)
    return found


def seen(performer: Performer) -> Counter[str]:
    """What else there was, from what the phases were answered."""
    program, ledger = performer.program, performer.ledger
    found: Counter[str] = Counter()
    for phase, tally in zip(program.phases(), performer.tallies, strict=False):
        name, count = "", 0
        if phase.verb is Verb.GET and phase.count == phase.pools == 1:
            name, count = "hits of a page", tally["hit"]
        elif phase.verb is Verb.PUT and program.areas[phase.area].texture == "copies":
            name, count = "copies of a page", tally["stored"]
        elif phase.verb is Verb.PUT and phase.count == phase.pools == 1:
            name, count = "puts of a slot", tally["stored"]
        elif phase.verb is Verb.NEW and phase.pools == 1:
            name, count = "lifetimes of a pool id", tally["made"]
        if name:
            found[name] = max(found[name], count)
    found["clients"] = len({each.spec.client for each in ledger.pools.members if each.id is not None})
    found["sharers"] = ledger.pools.most_sharers
    found["pools of a client"] = ledger.pools.most_pools
    found["operations on a store"] = ledger.count
    return found
