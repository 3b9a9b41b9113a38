"""Maps the numbered slots of a large program to handles.

An area is a family of handles. Slot n of an area is index `n % width` of object `n // width`. The
area determines how these numbers are spread over object ids and indexes.

No two areas of a program share an object id.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

SLOTS: Final = 1 << 20
"""Slots in the largest area; a slot of a program is `area * SLOTS + n`."""
FANOUTS: Final = range(2, 257)
"""Numbers of children of a tree's node; indexes around the borders of such trees are tried."""
_INDEX_BITS: Final = 32
_OBJECT_BITS: Final = 192

OBJECTS: Final[dict[str, Callable[[int, int], int]]] = {
    "near": lambda area, number: area * SLOTS + number,
    "middle word": lambda area, number: number << 64 | area * SLOTS | 1 << 63,
    "high word": lambda area, number: number << 128 | area * SLOTS | 1 << 62,
    "addresses": lambda area, number: number << 44 | area * SLOTS | 1 << 43,
}
"""The sequences of object ids of an area, besides `random`."""


@cache
def borders() -> tuple[int, ...]:
    """The indexes on both sides of every border of a tree with a fan-out of FANOUTS, least first.

    >>> borders()[:9], len(borders())
    ((0, 1, 2, 3, 4, 5, 6, 7, 8), 2833)
    """
    found = {0, (1 << _INDEX_BITS) - 1}
    for fanout in FANOUTS:
        power = fanout
        while power < 1 << _INDEX_BITS:
            found.update((power - 1, power, power + 1))
            power *= fanout
    return tuple(sorted(index for index in found if index < 1 << _INDEX_BITS))


def _border(n: int) -> int:
    # Beyond the last border the table repeats, shifted, so that indexes still have 32 bits and mostly differ.
    table = borders()
    turn, place = divmod(n, len(table))
    return (table[place] + turn * 0x01010101) % (1 << _INDEX_BITS)


INDEXES: Final[dict[str, Callable[[int], int]]] = {
    "dense": lambda n: n,
    "borders": _border,
    "from the top": lambda n: (1 << _INDEX_BITS) - 1 - n,
    "spread": lambda n: n * 0x9E3779B1 % (1 << _INDEX_BITS),
    "pages of 4096": lambda n: n << 12,
}
"""The sequences of indexes of an object; none of them repeats an index within an area."""
TEXTURES: Final = ("light", "text", "noise", "mixed", "copies")
"""What pages look like: noise does not compress, `mixed` is light and noise in turn, copies are all equal."""


@dataclass(frozen=True, slots=True)
class Area:
    """A family of handles, and what its pages look like. `width` is the number of pages in an object."""

    objects: str = "near"
    indexes: str = "dense"
    width: int = 1
    texture: str = "light"


class Places:
    """The handles of one area of a program: `oids` by object number, `indexes` by page of the object."""

    def __init__(self, area: Area, number: int, seed: int) -> None:
        self.area = area
        self.number = number
        self.oids: list[int] = []
        self.indexes: Sequence[int] = []
        self._draw = random.Random(f"object ids {seed} {number}")
        self._random = area.objects == "random"

    def reach(self, slots: int) -> None:
        """Make handles for the first `slots` slots."""
        area = self.area
        objects = -(-slots // area.width)
        if self._random:
            draw = self._draw.getrandbits
            self.oids += [draw(_OBJECT_BITS) for _ in range(objects - len(self.oids))]
        else:
            name = OBJECTS[area.objects]
            self.oids += [name(self.number, each) for each in range(len(self.oids), objects)]
        width = min(area.width, slots)
        if len(self.indexes) < width:
            table = INDEXES[area.indexes]
            self.indexes = range(width) if area.indexes == "dense" else [table(n) for n in range(width)]

    def handle(self, n: int) -> tuple[int, int]:
        """Return the object id and index of slot n."""
        self.reach(n + 1)
        return self.oids[n // self.area.width], self.indexes[n % self.area.width]
