"""Layers that drop ephemeral pages, at various times and in various orders; never persistent ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.spec.abi.errors import ENOMEM, ENOSPC
from tmem.spec.backend import Backend

Slot = tuple[int, int, int, int]
Order = Callable[[list[Slot], random.Random], Slot]

ORDERS: Final[dict[str, Order]] = {
    "oldest pool first": lambda slots, dice: slots[0],
    "newest first": lambda slots, dice: slots[-1],
    "any": lambda slots, dice: dice.choice(slots),
    "highest index first": lambda slots, dice: max(slots, key=lambda at: at[3]),
    "lowest object first": lambda slots, dice: min(slots, key=lambda at: at[2]),
}
"""Which of the slots that hold ephemeral pages is emptied first."""


class Capacity(Shadow):
    """Holds at most `most` pages. A put beyond that drops an ephemeral page, or fails."""

    def __init__(self, inner: Backend, most: int, order: str, refusal: str, dice: random.Random) -> None:
        super().__init__(inner)
        self.most, self.order, self.refusal, self.dice = most, ORDERS[order], refusal, dice

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if not stored or self.count() <= self.most:
            return stored
        slots = list(self.ephemeral())
        if slots:
            self.drop(*self.order(slots, self.dice))
            return stored
        self.drop(client, pool, oid, index)
        if self.refusal == "False":
            return False
        raise OSError(ENOMEM if self.refusal == "ENOMEM" else ENOSPC, "no room")

    def count(self) -> int:
        """Return how many pages there are."""
        return sum(len(known.pages) for known in set(self.pools.values()))


class Restless(Shadow):
    """Reclaims all the time: drops an ephemeral page, with given odds, before every put and get."""

    def __init__(self, inner: Backend, odds: float, order: str, dice: random.Random) -> None:
        super().__init__(inner)
        self.odds, self.order, self.dice = odds, ORDERS[order], dice

    def perhaps_drop(self) -> None:
        """Drop an ephemeral page, with the given odds."""
        if self.dice.random() < self.odds and (slots := list(self.ephemeral())):
            self.drop(*self.order(slots, self.dice))

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.perhaps_drop()
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.perhaps_drop()
        return super().get(client, pool, oid, index)


class WholeObjects(Shadow):
    """Every n-th put drops a whole object of an ephemeral pool."""

    def __init__(self, inner: Backend, often: int) -> None:
        super().__init__(inner)
        self.often = often

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        slots = list(self.ephemeral()) if self.every(self.often) else []
        for at in slots:
            if at[:3] == slots[0][:3]:
                self.drop(*at)
        return super().put(client, pool, oid, index, page)


class SharedHitsTake(Shadow):
    """A hit in a shared ephemeral pool removes the page, as in a private one."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.shared and not kind.persistent:
            self.drop(client, pool, oid, index)
        return page


class LeaveEmptiesEphemeral(Shadow):
    """Drops all pages of a shared ephemeral pool when a sharer leaves."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        if known and known.kind.shared and not known.kind.persistent:
            for oid, index in list(known.pages):
                self.drop(client, pool, oid, index)
        return super().destroy_pool(client, pool)


class DuplicateFlushes(Shadow):
    """Every n-th duplicate put fails, and the old page is gone."""

    def __init__(self, inner: Backend, often: int) -> None:
        super().__init__(inner)
        self.often = often

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        duplicate = self.held(client, pool, oid, index) is not None and len(page) == self.page_size
        if not duplicate or not self.every(self.often):
            return super().put(client, pool, oid, index, page)
        self.drop(client, pool, oid, index)
        return False
