"""Faults of page-addressable memory: pages that come back changed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Hashable
from typing import TypeAlias

import lz4.block

from tmem.conformance.conforming.wrapper import Page, Shadow, Wrapper
from tmem.conformance.faults.fault import LOST, SHOWN, fault, register
from tmem.spec.backend import Backend

Alter: TypeAlias = Callable[[bytes], bytes]
Key: TypeAlias = Callable[[bytes], Hashable]


class Altered(Wrapper):
    """Stores what a function returns for each page, even if that has another length."""

    def __init__(self, inner: Backend, alter: Alter) -> None:
        super().__init__(inner)
        self.alter = alter

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size:
            page = self.alter(bytes(page))
        return super().put(client, pool, oid, index, page)


def alters(*clauses: str) -> Callable[[Alter], Alter]:
    """Register a function that changes the content of a page and keeps its length."""

    def decorate(alter: Alter) -> Alter:
        register(alter, lambda inner: Altered(inner, alter), ("TMEM-PUT-2", *clauses))
        return alter

    return decorate


def _compressed(page: bytes) -> int:
    return len(zlib.compress(page, 1))


@alters(*SHOWN)
def same_first_and_last_byte_fill(page: bytes) -> bytes:
    """A page whose first and last bytes are equal is stored as a same-filled page."""
    return page[:1] * len(page) if page[0] == page[-1] else page


@alters(*SHOWN)
def same_ends_fill(page: bytes) -> bytes:
    """A page whose first and last four bytes are equal is stored as a same-filled page."""
    return (page[:4] * len(page))[: len(page)] if page[:4] == page[-4:] else page


@alters(*SHOWN)
def fill_of_8_bytes_by_1(page: bytes) -> bytes:
    """A page filled with one pattern of eight bytes is stored as if filled with the first byte."""
    filled = page == (page[:8] * len(page))[: len(page)]
    return page[:1] * len(page) if filled else page


@alters(*SHOWN)
def fill_reversed(page: bytes) -> bytes:
    """The eight bytes of a same-filled page are written in the other byte order."""
    filled = page == (page[:8] * len(page))[: len(page)]
    return (page[:8][::-1] * len(page))[: len(page)] if filled else page


@alters(*SHOWN)
def same_first_and_last_word_fill(page: bytes) -> bytes:
    """A page whose first and last eight bytes are equal is stored as if filled with them."""
    return (page[:8] * len(page))[: len(page)] if page[:8] == page[-8:] else page


@alters(*SHOWN)
def period_16_looked_at_twice(page: bytes) -> bytes:
    """A page whose first two pieces of 16 bytes are equal is stored as if filled with them."""
    return (page[:16] * len(page))[: len(page)] if page[:16] == page[16:32] else page


@alters()
def size_of_a_page_marks_raw(page: bytes) -> bytes:
    """Compressed data as long as a page is read as a page that was stored uncompressed."""
    data = bytes(lz4.block.compress(page, store_size=False))
    return data if len(data) == len(page) else page


@alters()
def size_of_a_page_marks_raw_deflated(page: bytes) -> bytes:
    """Deflated data as long as a page is read as a page that was stored uncompressed."""
    data = zlib.compress(page, 1)
    return data if len(data) == len(page) else page


@alters()
def size_in_units_of_16_marks_raw(page: bytes) -> bytes:
    """Sizes are kept in units of 16 bytes; data that rounds up to a page is read as uncompressed."""
    data = bytes(lz4.block.compress(page, store_size=False))
    return data.ljust(len(page), b"\0") if len(page) - 16 < len(data) <= len(page) else page


@alters()
def trailing_zeroes_not_written(page: bytes) -> bytes:
    """Trailing zeroes are not written, so that the end of the frame keeps what was there before."""
    return page.rstrip(b"\0").ljust(len(page), b"\x5a")


@alters()
def last_byte_lost(page: bytes) -> bytes:
    """The last byte of a page is not copied."""
    return page[:-1] + b"\0"


@alters()
def last_byte_of_incompressible_lost(page: bytes) -> bytes:
    """The last byte of a page that does not compress is not copied."""
    return page[:-1] + b"\0" if _compressed(page) >= len(page) else page


@alters()
def freelist_link_in_page(page: bytes) -> bytes:
    """A pointer of the free list is written into the first eight bytes of a page."""
    return b"\x10\x32\x54\x76\x98\xba\xdc\xfe"[: len(page)] + page[8:]


@alters()
def high_bits_stripped(page: bytes) -> bytes:
    """Only seven bits of each byte are stored."""
    return bytes(byte & 0x7F for byte in page)


@alters(*SHOWN)
def ends_at_zero_byte(page: bytes) -> bytes:
    """A page ends at its first zero byte, as a string in C does."""
    return page.split(b"\0", 1)[0].ljust(len(page), b"\0")


@alters()
def line_ends_converted(page: bytes) -> bytes:
    """Carriage returns are left out."""
    return page.replace(b"\r", b"").ljust(len(page), b"\0")


@alters()
def tail_of_well_compressed_lost(page: bytes) -> bytes:
    """The last quarter of a page that compresses to less than a sixteenth is lost."""
    if _compressed(page) * 16 > len(page):
        return page
    return page[: len(page) * 3 // 4].ljust(len(page), b"\x5a")


@alters()
def compressed_size_in_a_byte(page: bytes) -> bytes:
    """The size of a compressed page is kept in one byte, so that longer ones are cut."""
    size = _compressed(page)
    return page if size < 256 or size >= len(page) else page[: len(page) // 2].ljust(len(page), b"\0")


@fault("TMEM-PUT-2")
class EveryNinthPageFlipsBit(Wrapper):
    """In every ninth page one bit in the middle is flipped."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size and self.every(9):
            spoilt = bytearray(page)
            spoilt[len(spoilt) // 2] ^= 1
            page = bytes(spoilt)
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-2", history=(22,))
class SecondClientGarbled(Wrapper):
    """The pages of every client are decompressed with the state of the first client."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.first: int | None = None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.first = client if self.first is None else self.first
        if client != self.first and len(page) == self.page_size:
            page = bytes(byte ^ 0x55 for byte in bytes(page))
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-2")
class ShortPageReturned(Wrapper):
    """A page comes back without its trailing zeroes."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return page if page is None else page.rstrip(b"\0") or page


@fault(*LOST, needs=("private persistent",))
class ZeroPageForgotten(Shadow):
    """An all-zero page is not stored, and a get of it misses."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and not any(bytes(page)):
            self.take(client, pool, oid, index)
        return stored


@fault("TMEM-PUT-2", *LOST, *SHOWN)
class ScratchBufferShared(Shadow):
    """Pages are compressed in one buffer: the second of two puts in a row overwrites the end of the first."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[tuple[int, int, int, int], bytes] | None = None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        at, last = (client, pool, oid, index), self.last
        if stored and last is not None and last[0] != at and self.held(*last[0]) == last[1]:
            half = self.page_size // 2
            self.put_back(*last[0], last[1][:half] + bytes(page)[half:])
        self.last = (at, bytes(page)) if stored else None
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.last = None
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.last = None
        return super().flush_page(client, pool, oid, index)


class Deduplicated(Shadow):
    """Stores pages with equal keys once, as if they were equal."""

    def __init__(self, inner: Backend, key: Key) -> None:
        super().__init__(inner)
        self.key = key

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) != self.page_size:
            return super().put(client, pool, oid, index, page)
        key = self.key(bytes(page))
        for known in self.pools.values():
            for other in known.pages.values():
                if self.key(other) == key:
                    return super().put(client, pool, oid, index, other)
        return super().put(client, pool, oid, index, page)


class Sharing(Shadow):
    """Finds the other slots that hold an equal page."""

    def twins(self, client: int, pool: int, oid: int, index: int) -> list[tuple[int, int, int, int]]:
        """Return the other slots that hold an equal page, each with a client and id of its pool."""
        page = self.held(client, pool, oid, index)
        every = [(*name, *at) for name, known in self.pools.items() for at in known.pages]
        return [at for at in every if self.held(*at) == page and at != (client, pool, oid, index)]


@fault(*LOST, needs=("private persistent",))
class FlushTakesEqualPages(Sharing):
    """Equal pages are stored once and not counted, so that a flush of one removes the others."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        twins = self.twins(client, pool, oid, index)
        found = super().flush_page(client, pool, oid, index)
        for at in twins if found else ():
            self.take(*at)
        return found


@fault(*SHOWN)
class PutChangesEqualPages(Sharing):
    """Equal pages are stored once and written in place, so that a put over one changes the others."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        twins = self.twins(client, pool, oid, index)
        stored = super().put(client, pool, oid, index, page)
        for at in twins if stored else ():
            self.put_back(*at, bytes(page))
        return stored


def deduplicates(key: Key) -> Key:
    """Register a key that differs for most pages that differ, but not for all."""
    register(key, lambda inner: Deduplicated(inner, key), SHOWN)
    return key


@deduplicates
def deduplicated_by_sum(page: bytes) -> Hashable:
    """Pages with the same sum of bytes are stored once."""
    return sum(page)


@deduplicates
def deduplicated_by_ends(page: bytes) -> Hashable:
    """Pages with the same first and last 64 bytes are stored once."""
    return page[:64], page[-64:]


@deduplicates
def deduplicated_by_head(page: bytes) -> Hashable:
    """Pages with the same first quarter are stored once."""
    return page[: len(page) // 4]


@deduplicates
def deduplicated_by_tail(page: bytes) -> Hashable:
    """Pages with the same last quarter are stored once."""
    return page[-(len(page) // 4) :]


@deduplicates
def deduplicated_by_crc32(page: bytes) -> Hashable:
    """Pages with the same CRC-32 are stored once."""
    return zlib.crc32(page)


@deduplicates
def deduplicated_by_adler32(page: bytes) -> Hashable:
    """Pages with the same Adler-32 are stored once."""
    return zlib.adler32(page)


@deduplicates
def deduplicated_by_word_sum(page: bytes) -> Hashable:
    """Pages with the same sum of words of eight bytes are stored once."""
    words: tuple[int, ...] = struct.unpack(f"<{len(page) // 8}Q", page[: len(page) // 8 * 8])
    return sum(words) & (1 << 64) - 1


@deduplicates
def deduplicated_by_short_checksum(page: bytes) -> Hashable:
    """Pages with the same checksum of 8 bits are stored once."""
    return zlib.crc32(page) & 0xFF


@deduplicates
def deduplicated_by_size(page: bytes) -> Hashable:
    """Pages that compress to the same size are stored once."""
    return _compressed(page)


@deduplicates
def deduplicated_by_every_other_byte(page: bytes) -> Hashable:
    """Pages that agree in every other byte are stored once."""
    return page[::2]
