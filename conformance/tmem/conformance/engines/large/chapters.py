"""The chapters of large programs: each tries one kind of size, repetition or number.

A chapter makes its own pools and has its own areas, so that a program may leave out any of them. All of them
run on one store, one after the other. The phases in `last` run at the end of the program, to read old pages.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd
from typing import Final

from tmem.conformance.engines.large.areas import OBJECTS, Area, borders
from tmem.conformance.engines.large.phases import Item, Loop, Phase, PoolSpec, Program, Verb

PAGES: Final = 70_000
"""Pages of a fill, and times that one thing is done, at scale 1: past 2^16."""
OLD: Final = 64
"""Pages that are put at the begin of a program and read at its end."""
SHARERS: Final = 17
CLIENTS: Final = 20
MANY_CLIENTS: Final = 300
FEWEST: Final = 320
"""Objects of one kind of ids: more than a table of 256 buckets can tell apart."""
FLUSHES: Final = 128
"""Objects that are flushed one by one among many: for each, a store may look at all its pages."""
POOLS: Final = 300
"""Pools that one client makes, unless one is refused."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large: pages of a fill, times that one thing is done, ids that are asked for and were never put."""

    pages: int
    times: int
    probes: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """Phases over pools and areas of their own, numbered from 0."""

    name: str
    pools: tuple[PoolSpec, ...]
    areas: tuple[Area, ...]
    items: tuple[Item, ...]
    last: tuple[Item, ...] = ()


Write = Callable[[Sizes, random.Random], Chapter]

PUT, GET, NEW, DESTROY = Verb.PUT, Verb.GET, Verb.NEW, Verb.DESTROY
FLUSH, FLUSH_OBJECT, RECLAIM = Verb.FLUSH, Verb.FLUSH_OBJECT, Verb.RECLAIM


def _around(count: int, draw: random.Random) -> int:
    # A step that meets every slot once, in an order of its own.
    step = draw.randrange(count // 3, count) | 1 if count > 8 else 1
    while gcd(step, count) != 1:
        step += 1
    return step


def old(sizes: Sizes, draw: random.Random) -> Chapter:
    """Pages that are put first and read last."""
    pools = PoolSpec(1, True), PoolSpec(2, True, draw.getrandbits(100) | 1)
    count = min(OLD, max(sizes.pages // 100, 4))  # so that a small store has room for others, too
    items = Phase(NEW, pools=2), Phase(PUT, pools=2, count=count)
    return Chapter(
        "old pages", pools, (Area("random", "spread", 4, "text"),), items, (Phase(GET, pools=2, count=count),)
    )


def objects(sizes: Sizes, draw: random.Random) -> Chapter:
    """Many objects of a few pages each, whose ids differ in one word, in high bits or in low ones."""
    n = max(sizes.pages // len(OBJECTS), FEWEST)
    width = 7 if n >= 7 * FEWEST else 1
    areas = tuple(Area(each, "dense", width, "light") for each in draw.sample([*OBJECTS], len(OBJECTS)))
    part, some = n // 8, min(max(n // width // 3, 1), FLUSHES)
    items: list[Item] = [Phase(NEW)]
    items += [Phase(PUT, area=number, count=n) for number in range(len(areas))]
    for number in range(len(areas)):
        items += [
            *(Phase(GET, area=number, count=n, step=-1), Phase(FLUSH, area=number, count=part, spacing=2)),
            *(
                Phase(GET, area=number, count=2 * part),
                Phase(FLUSH_OBJECT, area=number, count=some, spacing=3),
            ),
            *(Phase(GET, area=number, count=n // 4), Phase(PUT, area=number, count=part)),
            Phase(GET, area=number, first=part, count=n // 4, step=_around(n // 4, draw)),
        ]
    items += [Phase(DESTROY), Phase(GET, count=16), Phase(PUT, count=2), Phase(NEW)]
    items += [Phase(GET, area=number, count=part) for number in range(len(areas))]
    return Chapter("many objects", (PoolSpec(1, True),), areas, (*items, Phase(DESTROY)))


def one_object(sizes: Sizes, draw: random.Random) -> Chapter:
    """One object of many pages, ephemeral and persistent."""
    n = max(sizes.pages, 64)
    area = Area("random", draw.choice(("dense", "dense", "from the top")), n, "light")
    half, part = n // 2, n // 8
    items = (
        *(Phase(NEW, pools=2), Phase(PUT, pool=0, count=2 * part), Phase(GET, pool=0, count=part, spacing=2)),
        *(Phase(GET, pool=0, count=2 * part, step=-1), Phase(PUT, pool=0, count=part)),
        *(Phase(FLUSH_OBJECT, pool=0), Phase(GET, pool=0, count=part)),
        *(Phase(PUT, pool=1, count=n), Phase(GET, pool=1, count=half, spacing=2)),
        *(Phase(FLUSH, pool=1, count=part, spacing=2), Phase(GET, pool=1, count=2 * part)),
        *(Phase(PUT, pool=1, count=part, step=-1), Phase(GET, pool=1, count=part)),
        *(Phase(FLUSH_OBJECT, pool=1), Phase(GET, pool=1, count=n // 4, spacing=4), Phase(DESTROY, pools=2)),
    )
    return Chapter("one large object", (PoolSpec(1, False), PoolSpec(1, True)), (area,), items)


def edges(sizes: Sizes, draw: random.Random) -> Chapter:
    """Indexes on both sides of the borders of trees."""
    n = min(len(borders()), 8 * sizes.pages)
    area = Area("random", "borders", n, "light")
    return _sparse("borders of trees", area, n, draw)


def sparse(sizes: Sizes, draw: random.Random) -> Chapter:
    """A few objects whose pages are far apart."""
    n = min(max(sizes.pages, 8), 8192)
    area = Area(
        draw.choice(("near", "random")), draw.choice(("spread", "from the top", "pages of 4096")), -(-n // 4)
    )
    return _sparse("pages far apart", area, n, draw)


def _sparse(name: str, area: Area, n: int, draw: random.Random) -> Chapter:
    items = (
        *(Phase(NEW), Phase(PUT, count=n, step=draw.choice((1, -1, _around(n, draw))))),
        *(Phase(GET, count=n, step=-1), Phase(FLUSH, count=n // 2, spacing=2), Phase(GET, count=n)),
        *(Phase(PUT, count=max(n // 3, 1), spacing=3), Phase(GET, count=n), Phase(FLUSH_OBJECT)),
        *(Phase(GET, count=n), Phase(PUT, count=1), Phase(GET, count=2), Phase(DESTROY)),
    )
    return Chapter(name, (PoolSpec(1, True),), (area,), items)


def random_ids(sizes: Sizes, draw: random.Random) -> Chapter:
    """Enough random object ids that hashes of 32 bits collide, and others that were never put."""
    n = max(sizes.pages, 64)
    some = min(n // 16, FLUSHES)
    items = (
        *(Phase(NEW), Phase(PUT, count=n), Phase(GET, first=n, count=max(sizes.probes, 1))),
        *(Phase(GET, count=n), Phase(FLUSH_OBJECT, first=n, count=some)),
        *(Phase(FLUSH_OBJECT, count=some, spacing=4), Phase(GET, count=n // 4, step=-1), Phase(DESTROY)),
    )
    return Chapter("random ids", (PoolSpec(1, True),), (Area("random"),), items)


def repeated(sizes: Sizes, draw: random.Random) -> Chapter:
    """One slot, over and over: hits, misses, puts, replacements, flushes."""
    times = sizes.times
    first = draw.randrange(1, 1000)
    slots = [first + 3 * each for each in range(8)]
    kept = Phase(PUT, first=first - 1, pools=2), Phase(GET, first=first - 1, pools=2)

    def one(verb: Verb, at: int, pool: int = 0, times: int = 1) -> Phase:
        return Phase(verb, pool=pool, first=slots[at], times=times)

    few = times // 8 + 2
    items: tuple[Item, ...] = (
        *(Phase(NEW, pools=3), kept[0]),
        *(one(PUT, 0), one(GET, 0, times=times), one(GET, 0), kept[1]),
        *(one(PUT, 1, 2), one(GET, 1, 2, 2 * few), one(GET, 1, 2)),
        *(Loop(times, (one(PUT, 2), one(FLUSH, 2), one(GET, 2))), one(PUT, 2), one(GET, 2), kept[1]),
        *(one(PUT, 3), Loop(times, (one(PUT, 3), one(GET, 3)))),
        *(one(FLUSH, 3), one(GET, 3), kept[0]),
        *(Loop(2 * few, (one(PUT, 4, 1), one(GET, 4, 1), one(GET, 4, 1))), one(GET, 4, 1)),
        *(one(GET, 5, times=few), one(FLUSH, 5, times=few), one(PUT, 5), one(GET, 5)),
        *(Loop(few, (one(PUT, 6), Phase(FLUSH_OBJECT, first=slots[6]), one(GET, 6))), one(PUT, 6)),
        *(one(GET, 6), kept[1], Phase(DESTROY, pools=3)),
    )
    pools = PoolSpec(1, True), PoolSpec(1, False), PoolSpec(2, False, draw.getrandbits(64) | 1)
    return Chapter("one slot again and again", pools, (Area(),), items)


def copies(sizes: Sizes, draw: random.Random) -> Chapter:
    """One page's contents in many slots."""
    n = max(sizes.times, 64)
    part = n // 8
    items = (
        *(Phase(NEW, pools=2), Phase(PUT, pools=1, count=n), Phase(GET, count=n, step=-1)),
        *(Phase(PUT, pool=1, count=8), Phase(FLUSH, count=part, spacing=2), Phase(GET, count=2 * part)),
        *(Phase(PUT, count=part), Phase(DESTROY), Phase(GET, pool=1, count=8), Phase(DESTROY, pool=1)),
    )
    area = Area("near", "dense", 16, "copies")
    return Chapter("copies", (PoolSpec(1, True), PoolSpec(2, True)), (area,), items)


def lifetimes(sizes: Sizes, draw: random.Random) -> Chapter:
    """One pool id, made and ended over and over, beside a pool that lives on."""
    persistent = draw.random() < 0.5
    pools = PoolSpec(3, True), PoolSpec(3, persistent), PoolSpec(4, True)
    items = (
        *(Phase(NEW, pool=0), Phase(NEW, pool=2), Phase(PUT, pool=0, count=4), Phase(PUT, pool=2, count=4)),
        *(Phase(NEW, pool=1), Phase(PUT, pool=1), Phase(DESTROY, pool=1)),
        Loop(sizes.times, (Phase(NEW, pool=1), Phase(GET, pool=1), Phase(DESTROY, pool=1))),
        Loop(sizes.times // 32 + 1, (Phase(NEW, pool=1), Phase(PUT, pool=1), Phase(DESTROY, pool=1))),
        *(Phase(NEW, pool=1), Phase(GET, pool=1, count=2), Phase(PUT, pool=1), Phase(GET, pool=1)),
        *(Phase(GET, pool=0, count=4), Phase(GET, pool=2, count=4), Phase(DESTROY, pools=3)),
    )
    return Chapter("lifetimes of a pool id", pools, (Area(),), items)


def clients(sizes: Sizes, draw: random.Random) -> Chapter:
    """Many clients, each with a pool, at the same handles."""
    ids = draw.sample(range(1 << 16), MANY_CLIENTS)
    pools = tuple(PoolSpec(each, number % 3 != 0) for number, each in enumerate(ids))
    few, rest = CLIENTS, MANY_CLIENTS - CLIENTS
    n = min(max(sizes.pages // 1000, 4), 32)
    items = (
        *(Phase(NEW, pools=few), Phase(PUT, pools=few, count=n), Phase(GET, pool=1, pools=few - 1, count=n)),
        *(Phase(NEW, pool=few, pools=rest), Phase(PUT, pools=MANY_CLIENTS, count=2)),
        *(Phase(GET, pools=MANY_CLIENTS, count=2), Phase(PUT, pools=few, count=n)),
        *(Phase(FLUSH_OBJECT, pool=3), Phase(DESTROY, pool=5, pools=7), Phase(GET, pools=few, count=n)),
        *(Phase(NEW, pool=5, pools=7), Phase(GET, pools=few, count=n), Phase(DESTROY, pools=MANY_CLIENTS)),
    )
    return Chapter("many clients", pools, (Area(width=4),), items)


def sharers(sizes: Sizes, draw: random.Random) -> Chapter:
    """Many sharers of one persistent pool, and of one that is ephemeral, who leave one by one."""
    ids = draw.sample(range(1 << 16), SHARERS)
    pools: list[PoolSpec] = []
    items: list[Item] = []
    for start, persistent in ((0, True), (SHARERS, False)):
        uuid = draw.getrandbits(127) | 1
        pools += [PoolSpec(each, persistent, uuid) for each in ids]
        everyone = range(start, start + SHARERS)
        items.append(Phase(NEW, pool=start, pools=SHARERS))
        items += [Phase(PUT, pool=name, first=8 * number, count=8) for number, name in enumerate(everyone)]
        items += [
            Phase(GET, pool=start, pools=SHARERS, count=8 * SHARERS),
            Phase(FLUSH, pool=start + 3, count=SHARERS, spacing=5),
            Phase(GET, pool=start, pools=SHARERS, count=8 * SHARERS, step=-1),
            Phase(PUT, pool=start + 5, count=40, spacing=3),
            Phase(FLUSH_OBJECT, pool=start + 9, first=2),
            Phase(GET, pool=start, pools=SHARERS, count=8 * SHARERS),
        ]
        for name in everyone[:-1]:
            items += [Phase(DESTROY, pool=name), Phase(GET, pool=everyone[-1], count=8 * SHARERS)]
        items += [Phase(DESTROY, pool=everyone[-1]), Phase(NEW, pool=start, pools=2)]
        items += [Phase(GET, pool=start, pools=2, count=8 * SHARERS), Phase(DESTROY, pool=start, pools=2)]
    return Chapter("many sharers", tuple(pools), (Area(width=8),), tuple(items))


def many_pools(sizes: Sizes, draw: random.Random) -> Chapter:
    """Pools of one client, as many as the backend grants."""
    pools = tuple(PoolSpec(6, number % 2 == 0) for number in range(POOLS))
    half = POOLS // 2
    items = (
        *(Phase(NEW, pools=POOLS, until_refused=True), Phase(PUT, pools=POOLS, count=2)),
        *(Phase(GET, pools=POOLS, count=1), Phase(DESTROY, pool=half // 2, pools=half)),
        *(Phase(GET, pools=POOLS, count=2), Phase(NEW, pool=half // 2, pools=half, until_refused=True)),
        *(Phase(GET, pools=POOLS, count=2), Phase(PUT, pools=POOLS), Phase(GET, pools=POOLS)),
        Phase(DESTROY, pools=POOLS),
    )
    return Chapter("many pools", pools, (Area(),), items)


def reclaimed(sizes: Sizes, draw: random.Random) -> Chapter:
    """Reclaim over many ephemeral pages, beside persistent ones."""
    n = max(sizes.pages // 8, 4)
    items = (
        *(Phase(NEW, pools=2), Phase(PUT, pools=2, count=n), Phase(RECLAIM, count=max(n // 64, 1), times=32)),
        *(Phase(GET, pool=1, count=n), Phase(GET, pool=0, count=n), Phase(PUT, pool=0, count=n)),
        *(Phase(RECLAIM, count=4 * n), Phase(GET, pool=0, count=n, step=-1), Phase(GET, pool=1, count=n)),
        Phase(DESTROY, pools=2),
    )
    return Chapter("reclaim", (PoolSpec(1, False), PoolSpec(1, True)), (Area("random", "dense", 5),), items)


CHAPTERS: Final[tuple[Write, ...]] = (
    *(old, edges, sparse, repeated, one_object, objects, copies),
    *(lifetimes, many_pools, clients, sharers, reclaimed, random_ids),
)
"""All chapters in the order in which they run; those that shrink best come first."""


def join(chapters: tuple[Chapter, ...], seed: int) -> tuple[Program, tuple[int, ...]]:
    """One program of all chapters, and the number of the first phase of each."""
    pools: list[PoolSpec] = []
    areas: list[Area] = []
    items: list[Item] = []
    last: list[Item] = []
    begins: list[int] = []
    phases = 0
    for chapter in chapters:
        moved = [_moved(item, len(pools), len(areas)) for item in chapter.items]
        last += [_moved(item, len(pools), len(areas)) for item in chapter.last]
        begins.append(phases)
        phases += sum(len(item.phases) if isinstance(item, Loop) else 1 for item in moved)
        items += moved
        pools += chapter.pools
        areas += chapter.areas
    return Program(seed, tuple(pools), tuple(areas), (*items, *last)), (*begins, phases)


def _moved(item: Item, pools: int, areas: int) -> Item:
    if isinstance(item, Loop):
        return replace(item, phases=tuple(_phase(each, pools, areas) for each in item.phases))
    return _phase(item, pools, areas)


def _phase(phase: Phase, pools: int, areas: int) -> Phase:
    return replace(phase, pool=phase.pool + pools, area=phase.area + areas)
