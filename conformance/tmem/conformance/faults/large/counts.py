"""Faults of counters that wrap: of hits, puts, copies, flushes, misses and lifetimes."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import LOST, SHOWN, STALE, fault
from tmem.spec.backend import Backend

PERSISTENT = ("private persistent",)
Slot = tuple[int, int, int, int]


class Counted(Shadow):
    """Counts operations on each slot, of which every `wrap`-th one goes wrong."""

    wrap_at: ClassVar[int]

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.counts: Counter[Slot] = Counter()

    def wraps(self, *slot: int) -> bool:
        """Whether the count of the slot wraps now."""
        client, pool, oid, index = slot
        self.counts[client, pool, oid, index] += 1
        return self.counts[client, pool, oid, index] % self.wrap_at == 0


class Hits(Counted):
    """Each hit takes a reference; when the count wraps to 0, the page is lost."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.persistent and self.wraps(client, pool, oid, index):
            self.take(client, pool, oid, index)
        return page


@fault(*LOST, needs=PERSISTENT)
class HitsIn5Bits(Hits):
    """A count of hits in 5 bits wraps, and the page is lost."""

    wrap_at = 1 << 5


@fault(*LOST, needs=PERSISTENT)
class HitsIn8Bits(Hits):
    """A count of hits in 8 bits wraps, and the page is lost."""

    wrap_at = 1 << 8


@fault(*LOST, needs=PERSISTENT)
class HitsIn16Bits(Hits):
    """A count of hits in 16 bits wraps, and the page is lost."""

    wrap_at = 1 << 16


class Puts(Counted):
    """A put answers True and stores nothing, and the old page stays."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        if known and len(page) == self.page_size and self.wraps(client, pool, oid, index):
            return True
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-3", *STALE, *LOST)
class PutsIn8Bits(Puts):
    """The 256th put of a slot changes nothing."""

    wrap_at = 1 << 8


@fault("TMEM-PUT-3", *STALE, *LOST)
class PutsIn16Bits(Puts):
    """The 65,536th put of a slot changes nothing."""

    wrap_at = 1 << 16


class Flushes(Counted):
    """A flush page changes nothing."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        page = self.held(client, pool, oid, index)
        found = super().flush_page(client, pool, oid, index)
        if page is not None and self.wraps(client, pool, oid, index):
            self.put_back(client, pool, oid, index, page)
        return found


@fault("TMEM-FLUSH-1")
class FlushesIn8Bits(Flushes):
    """The 256th flush of a slot changes nothing."""

    wrap_at = 1 << 8


@fault("TMEM-FLUSH-1")
class FlushesIn16Bits(Flushes):
    """The 65,536th flush of a slot changes nothing."""

    wrap_at = 1 << 16


@fault("TMEM-GET-2", *STALE)
class ExclusiveHitsIn7Bits(Counted):
    """The 128th exclusive hit of a slot keeps the page."""

    wrap_at = 1 << 7

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.exclusive and self.wraps(client, pool, oid, index):
            self.put_back(client, pool, oid, index, page)
        return page


@fault(*LOST, needs=PERSISTENT)
class MissesIn6Bits(Counted):
    """After 64 misses of a slot the next page put there is lost."""

    wrap_at = 1 << 6

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.cursed: set[Slot] = set()

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None and self.known(client, pool) and self.wraps(client, pool, oid, index):
            self.cursed.add((client, pool, oid, index))
        return page

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and (client, pool, oid, index) in self.cursed:
            self.cursed.discard((client, pool, oid, index))
            self.take(client, pool, oid, index)
        return stored


@fault(*SHOWN)
class TimesIn8Bits(Counted):
    """After its 257th put a slot shows the first page, since its puts are numbered in 8 bits."""

    wrap_at = 1 << 8

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.first: dict[Slot, bytes] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        at = client, pool, oid, index
        if self.known(client, pool) and self.wraps(*at) and at in self.first and len(page) == self.page_size:
            page = self.first[at]
        elif len(page) == self.page_size:
            self.first.setdefault(at, bytes(page))
        return super().put(client, pool, oid, index, page)


class Copies(Shadow):
    """Counts equal pages; when the count wraps, one of them is lost."""

    wrap_at: ClassVar[int]

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.copies: Counter[int] = Counter()
        self.last: dict[int, Slot] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored:
            content = hash(bytes(page))
            self.copies[content] += 1
            if self.copies[content] % self.wrap_at == 0:
                self.take(*self.last[content])
            self.last[content] = client, pool, oid, index
        return stored


@fault(*LOST, needs=PERSISTENT)
class CopiesIn8Bits(Copies):
    """A count of equal pages in 8 bits wraps, and one of them is lost."""

    wrap_at = 1 << 8


@fault(*LOST, needs=PERSISTENT)
class CopiesIn16Bits(Copies):
    """A count of equal pages in 16 bits wraps, and one of them is lost."""

    wrap_at = 1 << 16


class Lifetimes(Shadow):
    """The `wrap`-th lifetime of a pool id shows a page of the first."""

    wrap_at: ClassVar[int]

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lives: Counter[tuple[int, int]] = Counter()
        self.old: dict[tuple[int, int], tuple[int, int, bytes]] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        self.lives[client, pool] += 1
        if self.lives[client, pool] % self.wrap_at == 0 and (client, pool) in self.old:
            self.put_back(client, pool, *self.old[client, pool])
        return pool

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size:
            self.old.setdefault((client, pool), (oid, index, bytes(page)))
        return super().put(client, pool, oid, index, page)


@fault("TMEM-POOL-3", *SHOWN)
class LifetimesIn8Bits(Lifetimes):
    """The 256th lifetime of a pool id shows a page of the first."""

    wrap_at = 1 << 8


@fault("TMEM-POOL-3", *SHOWN)
class LifetimesIn16Bits(Lifetimes):
    """The 65,536th lifetime of a pool id shows a page of the first."""

    wrap_at = 1 << 16


@fault(*LOST, needs=PERSISTENT)
class OperationsIn12Bits(Shadow):
    """After every 4,096 puts the oldest persistent page is lost."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if self.every(1 << 12) and (oldest := next(self.persistent(), None)):
            self.take(*oldest)
        return stored
