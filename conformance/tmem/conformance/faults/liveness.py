"""Faults of liveness: operations that never return, and processes that end."""

from __future__ import annotations

import os
import threading
import time

from tmem.conformance.conforming.wrapper import Page, Reclaiming, Shadow, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.spec.backend import Backend


class OneLock(Wrapper):
    """Every operation on a page takes one lock."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with self.lock:
            return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.lock:
            return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            return super().flush_page(client, pool, oid, index)


@fault("TMEM-CONC-3", history=(16,))
class LockKeptOnFailedGet(OneLock):
    """A get that fails does not release its lock, so that the next operation never returns."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.lock.acquire()
        page = self.inner.get(client, pool, oid, index)
        self.lock.release()
        return page


@fault("TMEM-CONC-3")
class LockKeptOnRefusedPut(OneLock):
    """A put that is refused for its length does not release its lock."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.lock.acquire()
        stored = self.inner.put(client, pool, oid, index, page)
        self.lock.release()
        return stored


@fault("TMEM-CONC-3")
class FlushObjectLocksTwice(Shadow):
    """Flush object of two pages or more calls flush page, which waits for the lock that it holds."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        indexes = known.indexes(oid) if known else []
        with self.lock:
            for index in indexes[1:]:
                self.flush_page(client, pool, oid, index)
            return super().flush_object(client, pool, oid)


@fault("TMEM-CONC-3", history=(24,))
class FullObjectPutSpins(Shadow):
    """A put to an object that holds three pages searches for ever for another object to evict."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        while known and len(known.indexes(oid)) > 2 and {other for other, _ in known.pages} == {oid}:
            pass
        return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-3", needs=("shared persistent",), history=(25,))
class PageInTransitRetried(Shadow):
    """A get of a page that another sharer put waits for its arrival, which never happens."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        known = self.known(client, pool)
        while known and (oid, index) in known.pages and known.by[oid, index] != client:
            time.sleep(0.01)
        return super().get(client, pool, oid, index)


@fault("TMEM-CONC-3")
class DestroyWaitsForPages(Shadow):
    """Destroy pool waits for others to empty the pool."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        if known and known.pages:
            threading.Event().wait()
        return super().destroy_pool(client, pool)


@fault("TMEM-CONC-3", needs=("reclaim",))
class ReclaimWaitsForPages(Reclaiming):
    """Reclaim waits until there are as many ephemeral pages as it was asked for."""

    def reclaim(self, pages: int) -> int:
        while len(list(self.ephemeral())) < pages:
            time.sleep(0.01)
        return super().reclaim(pages)


@fault("TMEM-CONC-3", history=(15,))
class SecondDestroyCrashes(Shadow):
    """The second destroy of a pool frees memory twice, which ends the process."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        if (client, pool) not in self.pools:
            os.abort()
        return super().destroy_pool(client, pool)


@fault("TMEM-CONC-3")
class WideObjectCrashes(Wrapper):
    """A get in an object whose id has more than 128 bits overruns a buffer, which ends the process."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if oid >> 128:
            os.abort()
        return super().get(client, pool, oid, index)


@fault("TMEM-CONC-3")
class FullStoreExits(Shadow):
    """A store that holds six pages calls exit."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if sum(len(known.pages) for known in set(self.pools.values())) > 5:
            os._exit(0)
        return stored
