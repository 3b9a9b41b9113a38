"""Races: wrappers that are right as long as calls do not overlap.

They are plain Python over `threading`, so that an engine of schedules can take their threads over. What
they hold beside the backend is not guarded, or by too little.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import cast

from tmem.conformance.faults.fault import LOST, SHOWN, fault
from tmem.conformance.wrapper import Page, Wrapper
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.backend import Backend, Reclaims

Slot = tuple[int, int, int, int]
OVERLAP = ("TMEM-CONC-1", *SHOWN, *LOST)
"""What a race may be blamed on: linearizability, or the clause of the page that came or did not."""
PERSISTENT = ("private persistent",)


class Kinds(Wrapper):
    """Knows which pools are persistent, and which are shared, by the flags that were asked for."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.flags: dict[tuple[int, int], int] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        self.flags[client, pool] = flags
        return pool

    def persistent(self, client: int, pool: int) -> bool:
        """Whether the pool is persistent."""
        return bool(self.flags.get((client, pool), 0) & PERSIST)

    def exclusive(self, client: int, pool: int) -> bool:
        """Whether the pool is private and ephemeral."""
        return not self.flags.get((client, pool), PERSIST) & (PERSIST | SHARED)


@fault("TMEM-CONC-1", "TMEM-PUT-2", *OVERLAP)
class TornPageUnlockedRead(Wrapper):
    """A put writes one half of the page after the other under a lock, and a get reads without it."""

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
        """The lock that a put takes."""
        return self.lock


@fault("TMEM-CONC-1", "TMEM-PUT-2", *OVERLAP)
class TornPageWrongLock(TornPageUnlockedRead):
    """A put writes one half of the page after the other under its object's lock, and a get takes another."""

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
    """A put links its page, lets go of the lock, and links it again."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with suppress(OSError):
            super().put(client, pool, oid, index, page)
        return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-1", "TMEM-GET-2", *OVERLAP, needs=("private ephemeral",))
class DoubleExclusiveGet(Kinds):
    """An exclusive get looks the page up and removes it in two critical sections: two of them hit."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is not None and self.exclusive(client, pool):
            with suppress(OSError):
                super().put(client, pool, oid, index, page)
                super().flush_page(client, pool, oid, index)
        return page


class Frames(Wrapper):
    """Pages lie in frames; the backend holds only the number of the frame, as a page."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()
        self.frames: list[bytes] = []
        self.free: list[int] = []
        self.used: dict[Slot, int] = {}

    def take(self) -> int:
        """A free frame."""
        with self.lock:
            if self.free:
                return self.free.pop()
            self.frames.append(b"")
            return len(self.frames) - 1

    def give(self, at: Slot) -> None:
        """The frame of the slot is free."""
        with self.lock:
            number = self.used.pop(at, None)
            if number is not None:
                self.free.append(number)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) != self.page_size:
            return super().put(client, pool, oid, index, page)
        number = self.take()
        self.frames[number] = bytes(page)
        stored = super().put(client, pool, oid, index, number.to_bytes(self.page_size, "little"))
        with self.lock:
            if stored:
                self.used[client, pool, oid, index] = number
            else:
                self.free.append(number)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        token = super().get(client, pool, oid, index)
        if token is None:
            return None
        number = int.from_bytes(token, "little")
        return self.frames[number]


@fault("TMEM-CONC-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", *OVERLAP, "TMEM-PUT-2", history=(4,))
class FrameReusedBeforeRead(Frames):
    """Flush page frees the frame that a get is about to read, and a put fills it anew."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        self.give((client, pool, oid, index))
        return found


@fault("TMEM-CONC-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", *OVERLAP, "TMEM-PUT-2")
class TwoPutsOneFrame(Frames):
    """Two puts are given the same frame, since its number is read and counted up in two steps."""

    def take(self) -> int:
        number = len(self.frames)
        self.frames = [*self.frames, b""]
        return number


@fault("TMEM-POOL-3", "TMEM-ERR-1", *OVERLAP, needs=PERSISTENT)
class PutIntoFreedTable(Kinds):
    """A put finds its pool's table, which destroy pool empties and new pool hands out again meanwhile."""

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
    """A put sees that its pool is there and then takes it from the table, where destroy has taken it."""

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
    """New pool empties the slots of its id after others can find it."""

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
        if len(page) == self.page_size:
            self.seen[client, pool, oid, index] = None
        return super().put(client, pool, oid, index, page)


@fault("TMEM-CONC-3", history=(23,))
class LocksInBothOrders(Wrapper):
    """A put takes the pool's lock and then the order's, a flush the order's and then the pool's."""

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
    """Destroy pool waits for readers to leave, with a count that they change without a lock."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.readers = 0

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.readers = self.readers + 1
        try:
            return super().get(client, pool, oid, index)
        finally:
            self.readers = self.readers - 1

    def destroy_pool(self, client: int, pool: int) -> bool:
        gone = threading.Event()
        while self.readers > 0:
            gone.wait(0.001)
        return super().destroy_pool(client, pool)


class ReclaimReturns(Kinds):
    """Reclaim takes a page out, finds that it is wanted, and puts it back."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.slots: dict[Slot, None] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size and self.moves(client, pool):
            self.slots[client, pool, oid, index] = None
        return super().put(client, pool, oid, index, page)

    def reclaim(self, pages: int) -> int:
        for at in list(self.slots)[:pages]:
            with suppress(OSError):
                page = self.inner.get(*at)
                if page is not None:
                    self.inner.put(*at, page)
        return cast(Reclaims, self.inner).reclaim(0)

    def moves(self, client: int, pool: int) -> bool:
        """Whether reclaim looks at pages of this pool."""
        return self.exclusive(client, pool)


@fault("TMEM-CONC-1", *OVERLAP, needs=("reclaim", "private ephemeral"))
class ReclaimOverwritesDuplicate(ReclaimReturns):
    """Reclaim puts a page back that it took out, over the one that was put meanwhile."""


@fault("TMEM-CONC-1", *OVERLAP, needs=("reclaim", "private persistent"))
class ReclaimHidesPersistent(ReclaimReturns):
    """Reclaim moves a persistent page by taking it out and putting it in again: a get misses meanwhile."""

    def moves(self, client: int, pool: int) -> bool:
        return self.persistent(client, pool)

    def reclaim(self, pages: int) -> int:
        for at in list(self.slots)[:pages]:
            with suppress(OSError):
                page = self.inner.get(*at)
                self.inner.flush_page(*at)
                if page is not None:
                    self.inner.put(*at, page)
        return cast(Reclaims, self.inner).reclaim(pages)


@fault("TMEM-CONC-2", *OVERLAP, needs=PERSISTENT)
class FlushObjectTwice(Wrapper):
    """Flush object goes over the object a second time, and takes what was put meanwhile."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        again = super().flush_object(client, pool, oid)
        return found or again


@fault("TMEM-CONC-1", *OVERLAP, needs=PERSISTENT)
class CacheFilledTooLate(Kinds):
    """A get fills a cache of persistent pages after a put or flush in between has emptied it."""

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
class CopyOnWriteLosesPut(Wrapper):
    """The map of pages is copied and replaced in one statement, and a put in another thread is lost."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.map: dict[Slot, bytes] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.map = {**self.map, (client, pool, oid, index): bytes(page)}
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return page if page is None else self.map.get((client, pool, oid, index))


@fault("TMEM-FLUSH-2", "TMEM-CONC-2", *OVERLAP)
class FlushObjectFinishesLater(Wrapper):
    """Flush object leaves the work to a thread, and returns before it is done."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found: list[bool] = []

        def work() -> None:
            with suppress(OSError):
                found.append(self.inner.flush_object(client, pool, oid))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(0.0001)
        return bool(found and found[0])
