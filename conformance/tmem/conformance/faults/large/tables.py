"""Faults of tables and trees: pages that are lost or confused once there are many."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import ClassVar

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.addressing import Readdressed
from tmem.conformance.faults.fault import LOST, SHOWN, fault
from tmem.spec.backend import Backend

PERSISTENT = ("private persistent",)


class Grows(Shadow):
    """Loses the first page of a pool when it has grown to `size` pages."""

    size: ClassVar[int]

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        known = self.known(client, pool)
        if stored and known and len(known.pages) == self.size:
            self.take(client, pool, *next(iter(known.pages)))
        return stored


@fault(*LOST, needs=PERSISTENT)
class TableGrows64(Grows):
    """A table that grows at 64 pages loses the first of them."""

    size = 64


@fault(*LOST, needs=PERSISTENT)
class TableGrows512(Grows):
    """A table that grows at 512 pages loses the first of them."""

    size = 512


@fault(*LOST, needs=PERSISTENT)
class TableGrows32768(Grows):
    """A table that grows at 32,768 pages loses the first of them."""

    size = 32_768


class Border(Shadow):
    """A put at the first index of a node of `pages` indexes removes the last page of the node before."""

    pages: ClassVar[int]

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and index and index % self.pages == 0:
            self.take(client, pool, oid, index - 1)
        return stored


@fault(*LOST, needs=PERSISTENT)
class BorderOf4096(Border):
    """A tree with 64 children loses a page at the border of its third level."""

    pages = 64**2


@fault(*LOST, needs=PERSISTENT)
class BorderOf1000(Border):
    """A tree with 10 children loses a page at the border of its fourth level."""

    pages = 10**3


@fault(*LOST, needs=PERSISTENT)
class BorderOf14641(Border):
    """A tree with 11 children loses a page at the border of its fifth level."""

    pages = 11**4


@fault(*LOST, needs=PERSISTENT)
class BorderOf65536(Border):
    """A tree with 256 children loses a page at the border of its third level."""

    pages = 256**2


class Renames(Readdressed):
    """Replaces the object id or the index by another number."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner, lambda oid, index: (self.name(oid), self.place(index)))

    def name(self, oid: int) -> int:
        """Return the number used for an object id."""
        return oid

    def place(self, index: int) -> int:
        """Return the number used for an index."""
        return index


@fault(*SHOWN, *LOST)
class IdByHashOf16Bits(Renames):
    """Object ids are compared by a hash of 16 bits."""

    def name(self, oid: int) -> int:
        return zlib.crc32(oid.to_bytes(24, "little")) & 0xFFFF


@fault(*SHOWN, *LOST)
class IdByHashOf20Bits(Renames):
    """Object ids are compared by a hash of 20 bits."""

    def name(self, oid: int) -> int:
        return zlib.crc32(oid.to_bytes(24, "little")) & 0xFFFFF


@fault(*SHOWN, *LOST)
class IdByHashOf32Bits(Renames):
    """Object ids are compared by a hash of 32 bits."""

    def name(self, oid: int) -> int:
        return zlib.crc32(oid.to_bytes(24, "little"))


@fault(*SHOWN, *LOST)
class IndexOf17Bits(Renames):
    """An index is cut to 17 bits."""

    def place(self, index: int) -> int:
        return index & (1 << 17) - 1


class Places(Renames):
    """Numbers objects in the order of their first use, in a table of `size` places."""

    size: ClassVar[int]

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.numbers: dict[int, int] = {}

    def name(self, oid: int) -> int:
        return self.numbers.setdefault(oid, len(self.numbers)) % self.size


@fault(*SHOWN, *LOST)
class ObjectsIn256Places(Places):
    """The 257th object is confused with the first."""

    size = 256


@fault(*SHOWN, *LOST)
class ObjectsIn8192Places(Places):
    """The 8,193rd object is confused with the first."""

    size = 8192


class Batches(Shadow):
    """Flush object removes `batch` pages and leaves the others."""

    batch: ClassVar[int]

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        left = known.indexes(oid)[self.batch :] if known else []
        kept = [(index, known.pages[oid, index]) for index in left] if known else []
        found = super().flush_object(client, pool, oid)
        for index, page in kept:
            self.put_back(client, pool, oid, index, page)
        return found


@fault("TMEM-FLUSH-2")
class FlushObjectTakes32(Batches):
    """Flush object removes 32 pages and leaves the others."""

    batch = 32


@fault("TMEM-FLUSH-2")
class FlushObjectTakes256(Batches):
    """Flush object removes 256 pages and leaves the others."""

    batch = 256


@fault(*LOST, needs=PERSISTENT)
class LeafCountOf4Bits(Shadow):
    """A leaf of 64 indexes counts its pages in 4 bits; at 0 after a flush the leaf goes."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        known = self.known(client, pool)
        leaf = [at for at in range(index & ~63, (index | 63) + 1) if known and (oid, at) in known.pages]
        if found and leaf and len(leaf) % 16 == 0:
            for at in leaf:
                self.take(client, pool, oid, at)
        return found


@fault(*LOST, needs=PERSISTENT)
class ObjectOf300LosesLast(Shadow):
    """A put of the 300th page of an object removes the page before it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.puts: Counter[tuple[int, int, int]] = Counter()
        self.last: dict[tuple[int, int, int], int] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        at = client, pool, oid
        self.puts[at] += 1
        if stored and self.puts[at] == 300 and self.last.get(at, index) != index:
            self.take(client, pool, oid, self.last[at])
        self.last[at] = index
        return stored
