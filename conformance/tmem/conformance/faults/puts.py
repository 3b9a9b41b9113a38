"""Faults of put: what it stores, when it copies the page, and what it leaves behind."""

from __future__ import annotations

from contextlib import suppress

from tmem.conformance.conforming.wrapper import Known, Page, Shadow, Wrapper
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.abi.errors import ENOSPC
from tmem.spec.backend import Backend


@fault("TMEM-PUT-1")
class RefusedPutIsStored(Wrapper):
    """Every fifth put stores the page and answers False."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        return stored and not self.every(5)


@fault("TMEM-PUT-1")
class NoSpacePutIsStored(Wrapper):
    """Every fifth put stores the page and raises ENOSPC."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and self.every(5):
            raise OSError(ENOSPC, "no room")
        return stored


@fault("TMEM-PUT-1", "TMEM-HANDLE-1")
class RefusedPageShowsLater(Shadow):
    """A put that failed leaves its page in a buffer, where the next get of the slot finds it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.buffer: dict[tuple[int, int, int, int], bytes] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.buffer.pop((client, pool, oid, index), None)
        if len(page) == self.page_size and self.every(4) and self.known(client, pool):
            super().flush_page(client, pool, oid, index)
            self.buffer[client, pool, oid, index] = bytes(page)
            return False
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return self.buffer.pop((client, pool, oid, index), None) if page is None else page


@fault(*LOST, needs=("private persistent",))
class PutForgotten(Shadow):
    """Every seventh put answers True and stores nothing."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and self.every(7):
            self.take(client, pool, oid, index)
        return stored


@fault(*LOST, needs=("private persistent",), history=(9,))
class FirstPutOfSecondObjectOrphaned(Shadow):
    """The first put to a pool's second object answers True and stores nothing."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        oids = {other for other, _ in known.pages} if known else set()
        stored = super().put(client, pool, oid, index, page)
        if stored and len(oids) == 1 and oid not in oids:
            self.take(client, pool, oid, index)
        return stored


@fault(*LOST, needs=("private persistent",))
class ThirdPageOfObjectDropsFirst(Shadow):
    """An object has room for two pages: a third put removes the first page."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        known = self.known(client, pool)
        if stored and known and len(known.indexes(oid)) > 2:
            first = next(at for at in known.pages if at[0] == oid and at[1] != index)
            self.take(client, pool, *first)
        return stored


@fault("TMEM-RECLAIM-1", *LOST, needs=("private persistent",))
class PutAfterRefusalLost(Shadow):
    """After a put that failed, the next put to the slot answers True and stores nothing."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.marked: set[tuple[int, int, int, int]] = set()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        at = (client, pool, oid, index)
        if at in self.marked:
            self.marked.discard(at)
            stored = super().put(client, pool, oid, index, page)
            self.take(*at)
            return stored
        if self.held(*at) is not None and len(page) == self.page_size and self.every(2):
            self.marked.add(at)
            super().flush_page(*at)
            return False
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-4")
class PutKeepsBuffer(Shadow):
    """A put keeps the caller's buffer instead of a copy of it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.buffers: dict[tuple[Known | None, int, int], Page] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.buffers[self.known(client, pool), oid, index] = page
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        buffer = self.buffers.get((self.known(client, pool), oid, index))
        return page if page is None or buffer is None else bytes(buffer)


@fault("TMEM-PUT-4", "TMEM-PUT-2", *LOST)
class PutCopiesLate(Shadow):
    """A put copies the page at the next operation, after it has returned."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.late: tuple[int, int, int, int, Page] | None = None

    def finish(self) -> None:
        """Do the copy that was put off."""
        if self.late is not None:
            client, pool, oid, index, page = self.late
            self.late = None
            self.put_back(client, pool, oid, index, bytes(page))

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.finish()
        stored = super().put(client, pool, oid, index, page)
        if stored:
            self.late = (client, pool, oid, index, page)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.finish()
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.finish()
        return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.finish()
        return super().flush_object(client, pool, oid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.finish()
        return super().destroy_pool(client, pool)


class WritesBack(Shadow):
    """Writes copies of persistent pages back a few operations later."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.queue: list[tuple[int, tuple[int, int, int, int], bytes]] = []
        self.time = 0

    def tick(self) -> None:
        """Count an operation, and write back the pages that are due."""
        self.time += 1
        while self.queue and self.queue[0][0] <= self.time:
            _, at, page = self.queue.pop(0)
            if self.may_write(at):
                self.put_back(*at, page)

    def may_write(self, at: tuple[int, int, int, int]) -> bool:
        """Whether a page is written back to this slot."""
        return self.held(*at) is not None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.tick()
        stored = super().put(client, pool, oid, index, page)
        kind = self.kind(client, pool)
        if stored and kind and kind.persistent:
            self.queue.append((self.time + 3, (client, pool, oid, index), bytes(page)))
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.tick()
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.tick()
        return super().flush_page(client, pool, oid, index)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.queue = [(due, at, page) for due, at, page in self.queue if at[:2] != (client, pool)]
        return super().destroy_pool(client, pool)


@fault(
    "TMEM-PUT-3", "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-PUT-1", needs=("private persistent",), history=(3,)
)
class WriteBackOverwritesNewer(WritesBack):
    """A delayed write back replaces a newer page of the slot."""


@fault(
    "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-PUT-3", "TMEM-PUT-1", needs=("private persistent",), history=(26,)
)
class WriteBackRevives(WritesBack):
    """A delayed write back restores a page that was flushed meanwhile."""

    def may_write(self, at: tuple[int, int, int, int]) -> bool:
        return self.known(*at[:2]) is not None


@fault("TMEM-RECLAIM-1", needs=("private persistent",))
class RefusedPutTakesObject(Shadow):
    """A duplicate put that fails flushes its whole object, even in a persistent pool."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if self.held(client, pool, oid, index) and len(page) == self.page_size and self.every(3):
            with suppress(OSError):
                super().flush_page(client, pool, oid, index)
                self.inner.flush_object(client, pool, oid)
            return False
        return super().put(client, pool, oid, index, page)
