"""Stores with one thing wrong that only size, repetition or fullness shows, each after a public report."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from tmem.conformance.conforming.plain import Plain, PlainPool
from tmem.conformance.conforming.wrapper import At, Page

WORD = (1 << 64) - 1


class KeepsOld(Plain):
    """A put into a full store fails, and the old page of its slot stays."""

    def full(self, pool: PlainPool, at: At) -> bool:
        return self.most is not None and self.held >= self.most

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        found = self.find(client, pool, oid, index)
        if len(page) == self.page_size and self.full(found, (oid, index)):
            return False
        return super().put(client, pool, oid, index, page)


class KeepsOldOfEachPool(KeepsOld):
    """The same, where each pool has room for 8 pages."""

    def full(self, pool: PlainPool, at: At) -> bool:
        return len(pool.pages) >= 8


class KeepsOldPersistent(KeepsOld):
    """The same, but an ephemeral page may be replaced."""

    def full(self, pool: PlainPool, at: At) -> bool:
        return super().full(pool, at) and (pool.kind.persistent or at not in pool.pages)


class Batch(Plain):
    """Flush object looks at one batch of the object's pages."""

    batch = 32

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = self.find(client, pool, oid)
        for index in sorted(found.objects.get(oid, ()))[: self.batch]:
            self.drop(found, oid, index)
        return True


class SmallBatch(Batch):
    """The same, of three pages."""

    batch = 3


class Buckets(dict[At, bytes]):
    """A table that doubles at 1.5 pages a bucket, and then drops the last of each bucket of several."""

    size = 64

    def __setitem__(self, at: At, page: bytes) -> None:
        super().__setitem__(at, page)
        if len(self) * 2 > self.size * 3:
            buckets: dict[int, list[At]] = {}
            for each in self:
                buckets.setdefault(hash(each) % self.size, []).append(each)
            for bucket in buckets.values():
                if len(bucket) > 1:
                    self.pop(bucket[-1])
            self.size *= 2


class Grows(Plain):
    """Pages are lost when the table grows."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        found = self.pools[client, pool]
        if not found.pages:
            found.pages = Buckets()
        return pool

    def drop(self, pool: PlainPool, oid: int, index: int) -> bool:
        pool.objects.setdefault(oid, set()).add(index)
        return super().drop(pool, oid, index)


class CountWraps(Plain):
    """Each hit takes a reference, counted in `bits` bits; the page is dropped when the count overflows."""

    bits = 16

    def __init__(self) -> None:
        super().__init__()
        self.hits: dict[tuple[int, At], int] = {}

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        found = self.pools.get((client, pool))
        if page is not None and found is not None and not found.kind.exclusive:
            at = id(found), (oid, index)
            self.hits[at] = self.hits.get(at, 0) + 1 & (1 << self.bits) - 1
            if not self.hits[at]:
                self.drop(found, oid, index)
        return page


class FiveBits(CountWraps):
    """The same, of 5 bits."""

    bits = 5


class EightBits(CountWraps):
    """The same, of 8 bits."""

    bits = 8


KEPT: list[bytearray] = []


class Leaks(Plain):
    """Each page that goes leaves 256 bytes behind, though the store claims to regain its room."""

    claims = frozenset({"regain"})

    def drop(self, pool: PlainPool, oid: int, index: int) -> bool:
        found = super().drop(pool, oid, index)
        if found:
            KEPT.append(bytearray(256))
        return found


class LeaksWithoutAClaim(Leaks):
    """The same, and nothing is claimed."""

    claims = frozenset()


class Renamed(Plain):
    """Something else stands for the object id."""

    def name(self, oid: int) -> int:
        return oid

    @staticmethod
    def bucket(oid: int) -> int:
        mixed = (oid & WORD) ^ (oid >> 64 & WORD) ^ (oid >> 128)
        return (mixed * 0x9E3779B97F4A7C15 & WORD) >> 56

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, self.name(oid), index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, self.name(oid), index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(client, pool, self.name(oid), index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return super().flush_object(client, pool, self.name(oid))


class TwoWords(Renamed):
    """Within a bucket of 256 the most significant word is not compared."""

    def name(self, oid: int) -> int:
        return self.bucket(oid) << 128 | oid & (1 << 128) - 1


class Tag(Renamed):
    """Within a bucket a tag of 8 bits stands for the id."""

    def name(self, oid: int) -> int:
        return self.bucket(oid) << 8 | (oid ^ oid >> 8 ^ oid >> 64 ^ oid >> 128) & 255


class Leaf(Plain):
    """A leaf of 64 indexes counts those in use in 2 bits; where that is 0 after a flush the leaf goes."""

    def __init__(self) -> None:
        super().__init__()
        self.used: dict[tuple[int, int, int], int] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        found = self.find(client, pool, oid, index)
        fresh = (oid, index) not in found.pages
        stored = super().put(client, pool, oid, index, page)
        if fresh and stored:
            at = id(found), oid, index >> 6
            self.used[at] = self.used.get(at, 0) + 1 & 3
        return stored

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = self.find(client, pool, oid, index)
        gone = super().flush_page(client, pool, oid, index)
        if gone:
            at = id(found), oid, index >> 6
            self.used[at] = self.used.get(at, 0) - 1 & 3
            if not self.used[at]:
                for other in list(self.of_leaf(found, oid, index >> 6)):
                    self.drop(found, oid, other)
        return gone

    @staticmethod
    def of_leaf(pool: PlainPool, oid: int, leaf: int) -> Iterator[int]:
        return (index for index in pool.objects.get(oid, ()) if index >> 6 == leaf)


class EphemeralOnly(Tag):
    """A cache that makes private ephemeral pools alone, and compares a tag of the object id."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if flags & 3:
            raise OSError(errno.EPERM, "neither persistent nor shared")
        return super().new_pool(client, flags, uuid)


class FreshIds(Plain):
    """A right store: no pool id ever comes back, and nothing is kept of a pool that ended."""

    claims = frozenset({"regain"})

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        self.free.pop(client, None)
        return super().new_pool(client, flags, uuid)
