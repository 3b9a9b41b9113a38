"""Races of new pool and destroy pool with operations on pages, and for the locks of pools."""

from __future__ import annotations

import threading

from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.conformance.faults.races.kinds import OVERLAP, PERSISTENT, Kinds, Slot
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.backend import Backend


@fault("TMEM-POOL-3", "TMEM-ERR-1", *OVERLAP, needs=PERSISTENT)
class PutIntoFreedTable(Kinds):
    """A put writes to its pool's table after destroy pool has freed it and new pool has reused it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.tables: dict[tuple[int, int], dict[tuple[int, int], bytes]] = {}
        self.free: list[dict[tuple[int, int], bytes]] = []

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        if flags & PERSIST and not flags & SHARED:
            self.tables[client, pool] = self.free.pop() if self.free else {}
        return pool

    def destroy_pool(self, client: int, pool: int) -> bool:
        table = self.tables.pop((client, pool), None)
        if table is not None:
            table.clear()
            self.free.append(table)
        return super().destroy_pool(client, pool)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        table = self.tables.get((client, pool))
        stored = super().put(client, pool, oid, index, page)
        if table is not None and stored:
            table[oid, index] = bytes(page)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        table = self.tables.get((client, pool))
        return page if table is None else table.get((oid, index))

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        self.tables.get((client, pool), {}).pop((oid, index), None)
        return found

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        table = self.tables.get((client, pool), {})
        for at in [at for at in list(table) if at[0] == oid]:
            table.pop(at, None)
        return found


@fault("TMEM-ERR-1", history=(6,))
class PoolFoundThenGone(Wrapper):
    """A put looks its pool up twice, and destroy pool removes the pool in between: KeyError."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.counts: dict[tuple[int, int], int] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        self.counts[client, pool] = 0
        return pool

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.counts.pop((client, pool), None)
        return super().destroy_pool(client, pool)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if (client, pool) in self.counts:
            self.counts[client, pool] = self.counts[client, pool] + 1
        return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-1", *OVERLAP, needs=PERSISTENT, history=(7,))
class PoolPublishedTooEarly(Wrapper):
    """New pool empties the slots of its id after other threads can already find the pool."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.seen: dict[Slot, None] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        if flags & SHARED:
            return pool
        for at in list(self.seen):
            if at[:2] == (client, pool):
                super().flush_page(*at)
        return pool

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored:
            self.seen[client, pool, oid, index] = None
        return stored


@fault("TMEM-CONC-3", history=(23,))
class LocksInBothOrders(Wrapper):
    """Put takes the pool's lock and then the order's lock; flush page takes them in the other order."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.pool_lock, self.order_lock = threading.Lock(), threading.Lock()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with self.pool_lock, self.order_lock:
            return super().put(client, pool, oid, index, page)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.order_lock, self.pool_lock:
            return super().flush_page(client, pool, oid, index)


@fault("TMEM-CONC-3", history=(8,))
class WaitsForReaders(Wrapper):
    """Destroy pool waits until a count of readers is zero, which gets change without a lock."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.readers = 0

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.count(1)
        try:
            return super().get(client, pool, oid, index)
        finally:
            self.count(-1)

    def count(self, change: int) -> None:
        """Change the count of readers."""
        readers = self.readers
        self.readers = readers + change

    def destroy_pool(self, client: int, pool: int) -> bool:
        gone = threading.Event()
        while self.readers > 0:
            gone.wait(0.001)
        return super().destroy_pool(client, pool)
