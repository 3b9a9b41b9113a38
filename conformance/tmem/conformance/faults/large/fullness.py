"""Faults of full stores: what goes wrong in a put that finds no room."""

from __future__ import annotations

from typing import ClassVar

from tmem.conformance.conforming.wrapper import Known, Page, Shadow
from tmem.conformance.faults.fault import LOST, STALE, fault
from tmem.spec.abi.errors import ENOMEM

PERSISTENT = ("private persistent",)


class Room(Shadow):
    """Has room for `room` pages, in all or in each pool. A put beyond that fails, as it may."""

    room: ClassVar[int] = 48
    each: ClassVar[bool] = False

    def full(self, known: Known) -> bool:
        """Whether there is no room for another page of the pool."""
        if self.each:
            return len(known.pages) >= self.room
        return sum(len(other.pages) for other in set(self.pools.values())) >= self.room

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        if known is None or len(page) != self.page_size or not self.full(known):
            return super().put(client, pool, oid, index, page)
        return self.refuse(client, pool, oid, index, page)

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        """Do what a put without room does: empty the slot."""
        self.drop(client, pool, oid, index)
        return False


@fault("TMEM-PUT-1", *STALE)
class FullStoreKeepsOld(Room):
    """A put that fails in a full store of 48 pages leaves the old page."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return False


@fault("TMEM-PUT-1", *STALE)
class FullStoreOf1000KeepsOld(FullStoreKeepsOld):
    """A put that fails in a full store of 1,000 pages leaves the old page."""

    room = 1_000


@fault("TMEM-PUT-1", *STALE)
class FullPoolKeepsOld(FullStoreKeepsOld):
    """A put that fails in a full pool of 16 pages leaves the old page."""

    room = 16
    each = True


@fault("TMEM-PUT-1", *STALE)
class FullStoreRaisesAndKeepsOld(Room):
    """A put that raises ENOMEM in a full store leaves the old page."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        raise OSError(ENOMEM, "no room")


@fault("TMEM-PUT-1", *STALE, needs=PERSISTENT)
class FullStoreKeepsOldPersistent(Room):
    """A put that fails in a full store leaves the old page in a persistent pool."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        kind = self.kind(client, pool)
        return False if kind and kind.persistent else super().refuse(client, pool, oid, index, page)


@fault("TMEM-PUT-1", *STALE)
class FullStoreStoresAndRefuses(Room):
    """A put into a full store answers False and stores the page."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.put_back(client, pool, oid, index, bytes(page))
        return False


@fault(*LOST, needs=PERSISTENT)
class FullStoreTakesAnotherPage(Room):
    """A put into a full store removes the oldest persistent page."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        other = next((at for at in self.persistent() if at != (client, pool, oid, index)), None)
        if other is not None:
            self.take(*other)
        return super().refuse(client, pool, oid, index, page)


@fault(*LOST, needs=PERSISTENT)
class FullStoreTakesTheObject(Room):
    """A put into a full store flushes its whole object."""

    def refuse(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        for other in known.indexes(oid) if known else ():
            if other != index:
                self.take(client, pool, oid, other)
        return super().refuse(client, pool, oid, index, page)


@fault("TMEM-FLUSH-1", *STALE)
class FullStoreDoesNotFlush(Room):
    """Flush page does nothing in a full store."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        page = self.held(client, pool, oid, index)
        full = known is not None and self.full(known)
        found = super().flush_page(client, pool, oid, index)
        if full and page is not None:
            self.put_back(client, pool, oid, index, page)
        return found
