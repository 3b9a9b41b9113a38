"""Faults of claims: backends that promise more than they keep."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import fault
from tmem.spec.backend import Backend, Reclaims

Slot = tuple[int, int, int, int]
NEEDS = ("reclaim", "private ephemeral")


class Claiming(Shadow):
    """Adds a claim to those of the backend."""

    claim: str

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.claims: frozenset[str] = getattr(inner, "claims", frozenset()) | {self.claim}


@fault("retain", needs=("shared ephemeral",))
class SharedHitNotRetained(Claiming):
    """A hit in a shared ephemeral pool removes the page, against the claim «retain»."""

    claim = "retain"

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.shared and not kind.persistent:
            self.drop(client, pool, oid, index)
        return page


@fault("reclaim-bound", needs=NEEDS)
class ReclaimTakesOneMore(Claiming):
    """Reclaim removes one page more than asked for, against the claim «reclaim-bound»."""

    claim = "reclaim-bound"

    def reclaim(self, pages: int) -> int:
        return min(pages, cast(Reclaims, self.inner).reclaim(pages + 1))


@fault("reclaim-bound", needs=NEEDS)
class ReclaimIdles(Claiming):
    """Reclaim removes nothing when asked for two pages or more, against the claim «reclaim-bound»."""

    claim = "reclaim-bound"

    def reclaim(self, pages: int) -> int:
        return 0 if pages > 1 else cast(Reclaims, self.inner).reclaim(pages)


class Ordered(Claiming):
    """Records the order in which ephemeral pages were put, and reclaims in that order."""

    claim = "lru"

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.order: OrderedDict[Slot, None] = OrderedDict()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        kind = self.kind(client, pool)
        if stored and kind and not kind.persistent:
            self.order[client, pool, oid, index] = None
        return stored

    def reclaim(self, pages: int) -> int:
        victims = [at for at in self.victims() if self.held(*at) is not None][:pages]
        for at in victims:
            self.drop(*at)
            del self.order[at]
        return len(victims)

    def victims(self) -> list[Slot]:
        """Return the slots in the order in which they are reclaimed."""
        return list(self.order)


@fault("lru", needs=NEEDS)
class NewestGoesFirst(Ordered):
    """Reclaim removes the newest page first, against the claim «lru»."""

    def victims(self) -> list[Slot]:
        return list(self.order)[::-1]


@fault("lru", needs=NEEDS)
class PoolAfterPoolReclaimed(Ordered):
    """Reclaim empties one pool after the other, against the claim «lru»."""

    def victims(self) -> list[Slot]:
        return sorted(self.order, key=lambda at: at[:2])


class Leaks(Claiming):
    """Has room for 64 pages; a flush does not give back the room that `leaks` names."""

    claim = "regain"
    ROOM = 64

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.leaked = 0

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        count = sum(len(known.pages) for known in set(self.pools.values()))
        if stored and count + self.leaked > self.ROOM:
            self.drop(client, pool, oid, index)
            return False
        return stored


@fault("regain", needs=("private persistent",))
class EighthFlushLeaks(Leaks):
    """Every eighth flush page gives no room back, against the claim «regain»."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        held = self.held(client, pool, oid, index) is not None
        answer = super().flush_page(client, pool, oid, index)
        self.leaked += held and self.every(8)
        return answer


@fault("regain", needs=("private persistent",))
class FlushObjectLeaks(Leaks):
    """Flush object gives back room for one page fewer than it frees, against the claim «regain»."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        self.leaked += known is not None and bool(known.indexes(oid))
        return super().flush_object(client, pool, oid)
