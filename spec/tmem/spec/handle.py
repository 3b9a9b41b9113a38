"""Handles: the names of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CLIENT_BITS: Final = 16
OBJECT_BITS: Final = 192
INDEX_BITS: Final = 32
POOL_BITS: Final = 31


@dataclass(frozen=True, slots=True, order=True)
class Handle:
    """⟨pool id, object id, index⟩, the name a caller uses for one page [P].

    `oid` has 192 bits (three u64, word 2 the most significant [T]), `index` has 32. A handle means
    nothing without the client that uses it, since pool ids belong to clients [X].
    """

    pool: int
    oid: int
    index: int

    @property
    def slot(self) -> tuple[int, int]:
        """Object id and index: the slot in whatever pool, since sharers call one pool by several ids."""
        return self.oid, self.index

    def __str__(self) -> str:
        return f"⟨{self.pool}, {short(self.oid)}, {self.index}⟩"


def in_range(oid: int, index: int) -> bool:
    """Whether an object id and an index fit their 192 and 32 bits (TMEM-ARG-1)."""
    return 0 <= oid < 1 << OBJECT_BITS and 0 <= index < 1 << INDEX_BITS


def words(oid: int) -> tuple[int, int, int]:
    """The three u64 words of an object id, least significant first [T].

    >>> words((3 << 128) | (2 << 64) | 1)
    (1, 2, 3)
    """
    mask = (1 << 64) - 1
    return oid & mask, oid >> 64 & mask, oid >> 128


def short(number: int) -> str:
    """A number as people read it: small ones in decimal, wide ones in hexadecimal words.

    >>> short(7), short((1 << 128) | 5), short((1 << 192) - 1)
    ('7', '0x1:0:5', 'all ones')
    """
    if 0 <= number < 1 << 32:
        return str(number)
    if number == (1 << OBJECT_BITS) - 1:
        return "all ones"
    if not 0 <= number < 1 << OBJECT_BITS:
        return f"{number:#x}"
    low, middle, high = words(number)
    return f"0x{high:x}:{middle:x}:{low:x}"
