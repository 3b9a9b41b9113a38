"""Races for one slot: pages that are torn, doubled, lost or shown too late."""

from __future__ import annotations

import threading
from contextlib import suppress

from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.conformance.faults.races.kinds import OVERLAP, PERSISTENT, Kinds, Slot
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.backend import Backend


@fault("TMEM-CONC-1", "TMEM-PUT-2", *OVERLAP)
class TornPageUnlockedRead(Wrapper):
    """A put writes the two halves of a page one after the other under a lock that get does not take."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()
        self.last: dict[Slot, bytes] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        at, half = (client, pool, oid, index), self.page_size // 2
        with self.lock_of(oid, index):
            if at in self.last and len(page) == self.page_size:
                super().put(*at, bytes(page)[:half] + self.last[at][half:])
            stored = super().put(*at, page)
            self.last[at] = bytes(page)
        return stored

    def lock_of(self, oid: int, index: int) -> threading.Lock:
        """Return the lock that a put takes."""
        return self.lock


@fault("TMEM-CONC-1", "TMEM-PUT-2", *OVERLAP)
class TornPageWrongLock(TornPageUnlockedRead):
    """A put writes the two halves of a page under its object's lock; a get takes another lock."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.locks = [threading.Lock() for _ in range(4)]

    def lock_of(self, oid: int, index: int) -> threading.Lock:
        return self.locks[oid & 1]

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.locks[2 + (index & 1)]:
            return super().get(client, pool, oid, index)


@fault("TMEM-CONC-1", *OVERLAP, needs=PERSISTENT)
class DuplicateInTwoSteps(Wrapper):
    """A put flushes the old page and stores the new one in two critical sections."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size:
            with self.lock, suppress(OSError):
                super().flush_page(client, pool, oid, index)
        with self.lock:
            return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-1", *OVERLAP)
class PutLinksTwice(Wrapper):
    """A put stores its page, releases the lock, and stores the page again."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with suppress(OSError):
            super().put(client, pool, oid, index, page)
        return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-1", "TMEM-GET-2", *OVERLAP, needs=("private ephemeral",))
class DoubleExclusiveGet(Kinds):
    """A get finds a page and removes it in two critical sections, so that two gets hit."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is not None and self.exclusive(client, pool):
            with suppress(OSError):
                super().put(client, pool, oid, index, page)
                super().flush_page(client, pool, oid, index)
        return page


@fault("TMEM-CONC-1", *OVERLAP, needs=PERSISTENT)
class CacheFilledTooLate(Kinds):
    """A get fills a cache of persistent pages with a page that a put or flush has just invalidated."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.cache: dict[Slot, bytes] = {}

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        at = (client, pool, oid, index)
        if not self.private_persistent(client, pool):
            return super().get(*at)
        page = self.cache.get(at)
        if page is None:
            page = super().get(*at)
            if page is not None:
                self.cache[at] = page
        return page

    def private_persistent(self, client: int, pool: int) -> bool:
        """Whether the cache is used."""
        return self.flags.get((client, pool), 0) & (PERSIST | SHARED) == PERSIST

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.cache.pop((client, pool, oid, index), None)
        return stored

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        self.cache.pop((client, pool, oid, index), None)
        return found

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        for at in list(self.cache):
            if at[:3] == (client, pool, oid):
                self.cache.pop(at, None)
        return found

    def destroy_pool(self, client: int, pool: int) -> bool:
        ended = super().destroy_pool(client, pool)
        for at in list(self.cache):
            if at[:2] == (client, pool):
                self.cache.pop(at, None)
        return ended


@fault("TMEM-CONC-1", *OVERLAP)
class CopyOnWriteLosesPut(Kinds):
    """A put copies and replaces the map of private pages, so that a put of another thread is lost."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.map: dict[Slot, bytes] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.map = {**self.map, (client, pool, oid, index): bytes(page)}
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None or self.flags.get((client, pool), SHARED) & SHARED:
            return page
        return self.map.get((client, pool, oid, index))
