"""The reclaim order by itself: entries that lead to no page are swept out, and no page loses its place."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import product
from types import SimpleNamespace
from typing import Any, Final, cast

from proofs.impl.contract import contract
from proofs.impl.copy import Current
from proofs.impl.symbolic import among, decided, quietly
from tmem.impl.order import Entry

SLOTS: Final = 3
"""Two indexes of one object, and one of another."""


class Then(Enum):
    """What happens to an order in which a sweep is going on."""

    USE = "a page is put over or used"
    GO = "a page goes"
    GO_WITH_OBJECT = "a page is put or used, and goes with its object"
    PASS = "the oldest is passed over by the reclaimer"
    TAKE = "the oldest is reclaimed"


class Aged:
    """An order, and beside it the list of the slots that it should have, oldest first."""

    def __init__(self) -> None:
        self.order = Current.copy.order()
        pool = cast(Any, SimpleNamespace(ended=False))
        first, second = Current.copy.object(pool, 0), Current.copy.object(pool, 1)
        self.slots: list[Entry] = [(first, 0), (first, 1), (second, 0)]
        self.ages: list[Entry] = []

    def use(self, which: int) -> None:
        slot = self.slots[which]
        if slot in self.ages:
            self.order.touch(*slot)
            self.ages.remove(slot)
        else:
            self.order.append(*slot)
        self.ages.append(slot)

    def oldest(self) -> Entry | None:
        """Take the oldest entry that is of a page."""
        while (entry := self.order.pop()) is not None:
            if not self.order.drop_if_stale(*entry):
                self.order.pages -= 1
                return entry
        return None

    def then(self, what: Then, which: int) -> None:
        slot = self.slots[which]
        match what:
            case Then.USE:
                self.use(which)
            case Then.GO if slot in self.ages:
                self.ages.remove(slot)
                self.order.remove(*slot)
            case Then.GO_WITH_OBJECT:
                self.use(which)
                self.ages.remove(slot)
                self.order.remove_object(slot[0], 1)
                counts = slot[0].stale or slot[0].late
                assert not counts, "an object that is gone keeps counts"
                self.slots[2] = (Current.copy.object(slot[0].pool, 1), 0)
            case Then.PASS if (entry := self.oldest()) is not None:
                self.order.push_back(*entry)
                self.order.pages += 1
            case Then.TAKE:
                assert self.oldest() == (self.ages.pop(0) if self.ages else None), "not the oldest was taken"


@contract("TMEM-RECLAIM-1", "TMEM-RECLAIM-2")
def a_sweep_leaves_every_page_in_its_place(swept: int, then: Then, which: int, finished: bool) -> bool:
    """Whatever happens between two pieces of a sweep, pages come out in the order in which they were used.

    Each path goes through all orders in which three pages can have been used before.
    """
    pieces, done = among(swept, range(SLOTS)), decided(finished)
    what = next(each for each in Then if then is each)
    slot = among(which, range(SLOTS)) if what in (Then.USE, Then.GO) else SLOTS - 1
    with quietly():
        for used in product(range(SLOTS), repeat=3):
            swept_in_between(used, pieces, what, slot, done)
    return what is Then.PASS


def swept_in_between(used: Sequence[int], pieces: int, what: Then, which: int, done: bool) -> None:
    """Sweep this many pieces of an order of these uses, let something happen, sweep the rest if `done`."""
    aged = Aged()
    for each in used:
        aged.use(each)
    aged.order.tidy(pieces)
    aged.then(what, which)
    if done:
        aged.order.tidy(2 * SLOTS)
    assert aged.order.pages == len(aged.ages), f"pages counted, with uses of {used}"
    assert [aged.oldest() for _ in aged.ages] == aged.ages, f"the oldest first, with uses of {used}"
    assert aged.oldest() is None
    assert aged.order.stale == 0
