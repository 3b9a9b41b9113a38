"""Pages that say where they come from, so that nobody needs to keep them.

Both ends of a page hold its stamp: who put it, in which lifetime of a pool, at which slot, for which time.
A page that should come back is made again and compared; one that should not is read.
"""

from __future__ import annotations

import random
from functools import cache
from struct import Struct
from typing import Final, NamedTuple

_STAMP: Final = Struct("<8sHHIIIQ")
PACK: Final = _STAMP.pack
MARK: Final = b"tmem\xa5put"
SIZE: Final = _STAMP.size
"""Bytes in a stamp; a page needs room for two."""
BODIES: Final = 8
"""The number of bodies, between the stamps, of each texture; slot and time select one."""
ANY: Final = (1 << 32) - 1
"""The slot, and the time, in the stamp of pages that are all equal."""
SALT: Final = 0x9E3779B97F4A7C15
WORD: Final = (1 << 64) - 1


class Stamp(NamedTuple):
    """Which put a page is of: the pool's name, the area, its lifetime, the slot, the how-manieth put."""

    name: int
    area: int
    lifetime: int
    slot: int
    time: int


def stamp(name: int, area: int, lifetime: int, slot: int, time: int) -> bytes:
    """The bytes of a stamp; the last eight spread its bits, so that no two stamps differ in few bytes."""
    return PACK(MARK, name, area, lifetime, slot, time, (slot << 32 | time) * SALT & WORD)


def read(page: bytes) -> Stamp | None:
    """Return the stamp at the beginning of a page, or None if it has none."""
    if len(page) < SIZE:
        return None
    mark, *numbers, _ = _STAMP.unpack_from(page)
    found = Stamp(*numbers)
    return found if mark == MARK and page.startswith(stamp(*found)) else None


@cache
def bodies(texture: str, page_size: int) -> tuple[bytes, ...]:
    """What lies between the stamps of pages of this texture.

    >>> [{len(body) for body in bodies(texture, 512)} == {512 - 2 * SIZE} for texture in ("text", "noise")]
    [True, True]
    """
    size = page_size - 2 * SIZE
    draw = random.Random(f"{texture} {page_size}")
    if texture == "noise":
        return tuple(draw.randbytes(size) for _ in range(BODIES))
    if texture == "text":
        words = [draw.randbytes(draw.randrange(2, 9)).hex().encode() for _ in range(40)]
        return tuple(_text(draw, words, size) for _ in range(BODIES))
    if texture == "mixed":
        return tuple(bytes(size) if n % 2 else draw.randbytes(size) for n in range(BODIES))
    fills = [draw.randbytes(1) for _ in range(BODIES)]
    return tuple(bytes(size) if not number % 2 else fill * size for number, fill in enumerate(fills))


def _text(draw: random.Random, words: list[bytes], size: int) -> bytes:
    text = b" ".join(draw.choice(words) for _ in range(size // 4 + 1))
    return text[:size].ljust(size, b"\n")


def page(found: Stamp, texture: str, page_size: int) -> bytes:
    """The page of a stamp, made again."""
    ends = stamp(*found)
    return ends + bodies(texture, page_size)[(found.slot + found.time) % BODIES] + ends


def equal(area: int, page_size: int) -> bytes:
    """The one page of an area of texture `copies`."""
    return page(Stamp(0, area, 0, ANY, ANY), "copies", page_size)
