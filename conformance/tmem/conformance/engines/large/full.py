"""Programs for a store that is full: refused puts, refused duplicates, evictions, at exactly the brim."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from tmem.conformance.engines.large.areas import Area
from tmem.conformance.engines.large.perform import Performer
from tmem.conformance.engines.large.phases import Item, Phase, PoolSpec, Program, Verb

SLOTS_AT_THE_BRIM: Final = 12
"""Duplicates that are put when the store is exactly full, each after it was filled up again."""
KEPT: Final = PoolSpec(1, True)
LOST: Final = PoolSpec(1, False)
PUT, GET, NEW, DESTROY = Verb.PUT, Verb.GET, Verb.NEW, Verb.DESTROY


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many pages a store held: persistent ones until one was refused, ephemeral ones until one was gone.

    None where neither happened.
    """

    persistent: int | None = None
    ephemeral: int | None = None

    @property
    def known(self) -> int | None:
        """The pages with which it is full; None where it never was."""
        found = [each for each in (self.persistent, self.ephemeral) if each is not None]
        return min(found, default=None)


def probe(limit: int, texture: str, seed: int) -> Program:
    """Persistent pages until one is refused, then as many ephemeral ones, read from the newest on."""
    items = (
        *(Phase(NEW), Phase(PUT, count=limit, until_refused=True), Phase(GET, count=limit), Phase(DESTROY)),
        *(Phase(NEW, pool=1), Phase(PUT, pool=1, count=limit, until_refused=True)),
        *(Phase(GET, pool=1, count=limit, step=-1), Phase(DESTROY, pool=1)),
    )
    return Program(seed, (KEPT, LOST), (Area("near", "dense", 16, texture),), items)


def capacity(performer: Performer) -> Capacity:
    """What a probe found."""
    kept, lost, read = (performer.tallies[n] if n < len(performer.tallies) else {} for n in (1, 5, 6))
    persistent = kept.get("stored", 0) if kept.get("failed", 0) else None
    gone = lost.get("failed", 0) or (lost.get("stored", 0) > read.get("hit", 0) > 0)
    if performer.stopped:  # it was not read to the end
        return Capacity(persistent or None)
    return Capacity(persistent or None, (read.get("hit", 0) or None) if gone else None)


def brim(pages: int, limit: int, texture: str, seed: int, draw: random.Random) -> Program:
    """Return what goes wrong in a store that holds this number of pages and no more."""
    kept, other, lost, shared = range(4)
    fill = min(limit, 4 * pages + 64)
    pools = KEPT, PoolSpec(2, True), LOST, PoolSpec(3, True, draw.getrandbits(100) | 1)
    areas = (
        Area("near", "dense", draw.choice((1, 7, pages)), texture),
        Area("random", "dense", 1, texture),
        Area("near", "spread", 3, texture),
    )

    def full(pool: int, area: int = 0) -> Phase:
        return Phase(PUT, pool=pool, area=area, count=fill, until_refused=True)

    items: list[Item] = [Phase(NEW, pools=4), full(kept), Phase(GET, pool=kept, count=pages + 2)]
    for number in range(SLOTS_AT_THE_BRIM):
        slot = draw.randrange(max(pages - 1, 1))
        items += [
            Phase(PUT, pool=kept, first=slot),
            Phase(GET, pool=kept, first=slot),
            Phase(PUT, pool=kept, area=1, first=64 * number, count=64, until_refused=True),
            Phase(GET, pool=kept, area=1, first=64 * number, count=64),
        ]
    half = max(pages // 2, 1)
    items += [
        Phase(PUT, pool=kept, count=pages),
        Phase(GET, pool=kept, count=pages, step=-1),
        *(full(kept), full(other, 2), Phase(PUT, pool=shared, count=8)),
        *(Phase(GET, pool=other, area=2, count=pages), Phase(GET, pool=shared, count=8)),
        Phase(PUT, pool=lost, area=2, count=16),
        *(Phase(GET, pool=lost, area=2, count=16), Phase(GET, pool=kept, count=pages)),
        *(
            Phase(Verb.FLUSH, pool=kept, count=half, spacing=2),
            Phase(PUT, pool=lost, area=2, count=2 * pages),
        ),
        *(Phase(GET, pool=kept, count=pages), full(other), Phase(GET, pool=other, count=pages)),
        *(
            Phase(GET, pool=lost, area=2, count=2 * pages, step=-1),
            Phase(PUT, pool=lost, area=2, count=2 * pages),
        ),
        *(Phase(PUT, pool=lost, area=2, count=pages), Phase(GET, pool=lost, area=2, count=2 * pages)),
        *(Phase(GET, pool=lost, area=2, count=pages), Phase(Verb.FLUSH_OBJECT, pool=other, count=half)),
        *(full(shared), Phase(PUT, pool=shared, count=half, spacing=2), Phase(GET, pool=shared, count=pages)),
        *(Phase(DESTROY, pool=kept), full(other), Phase(PUT, pool=other, count=pages, step=-1)),
        *(Phase(GET, pool=other, count=pages), Phase(DESTROY, pools=4)),
    ]
    return Program(seed, pools, areas, tuple(items))
