"""Every pair of operations on one slot, and on two slots of an object, in each kind of pool."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations_with_replacement, product
from typing import Final

from tmem.conformance.schedules.threaded.program import EPHEMERAL, PERSISTENT, UUID, Program, number
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Reclaim,
)

KINDS: Final = ("put", "get", "flush_page", "flush_object", "destroy", "new", "reclaim")
CHANGES: Final = ("put", "new", "destroy")
"""Operations whose pairs run on an empty slot too."""
NEIGHBOURS: Final = ("put", "get", "flush_page")
"""Operations that are paired at two indexes of an object, which share what the object is kept in."""
FREES: Final = ("put", "get", "flush_page", "flush_object", "reclaim")
"""Operations that free a frame, which the next page may get."""
NEXT: Final = ("get", "get", "get", "put", "flush_page", "reclaim")
"""What the second thread does next, while the first is still under way."""
_OID: Final = 7


@lru_cache(2)
def pairs(seed: int, reclaims: bool, shared: bool) -> list[Program]:
    """A program for each pair of operations and kind of pool. The seed decides their order."""
    draw = random.Random(f"pairs {seed}")
    programs = [
        program
        for flags in (EPHEMERAL, PERSISTENT, *([EPHEMERAL | SHARED, PERSISTENT | SHARED] if shared else []))
        for program in _of_kind(draw, flags, reclaims)
    ]
    draw.shuffle(programs)
    return programs


def _of_kind(draw: random.Random, flags: int, reclaims: bool) -> Iterator[Program]:
    kinds, more = (KINDS, NEXT) if reclaims else (KINDS[:-1], NEXT[:-1])
    for first, second in combinations_with_replacement(kinds, 2):
        for filled in (True, False) if {first, second} & set(CHANGES) else (True,):
            # It matters which client leaves a shared pool.
            for other in (1, 2) if flags & SHARED and second in ("destroy", "new") else (None,):
                yield _program(draw, flags, (first, 0), (second, 0), filled, more, other)
    for first, second in product(NEIGHBOURS, repeat=2):
        yield _program(draw, flags, (first, 0), (second, 1), True, more)
    for freeing in () if flags & SHARED else FREES if reclaims else FREES[:-1]:
        yield _reused(flags, freeing)
    if flags & SHARED:
        yield from (_left(flags, filled) for filled in (True, False))
    if flags & PERSIST:  # an ephemeral page may vanish before the others of its object
        for indexes in ((0, 1), (1, 0)):
            yield _flushed(flags, indexes)


def _flushed(flags: int, indexes: tuple[int, int]) -> Program:
    """One thread flushes an object; the other gets two of its pages in turn."""
    pools = [NewPool(1, flags, UUID if flags & SHARED else None)]
    puts = [_operation(("put", index), pools, 1, index + 1) for index in (0, 1)]
    looks = tuple(_operation(("get", index), pools, 1, 0) for index in indexes)
    return Program((*pools, *puts), ((_operation(("flush_object", 0), pools, 1, 0),), looks))


def _reused(flags: int, freeing: str) -> Program:
    """One thread gets a page; the other removes it and puts another page elsewhere."""
    pools = [NewPool(1, flags)]
    let_go, put = _operation((freeing, 0), pools, 1, 2), _operation(("put", 1), pools, 1, 3)
    look = _operation(("get", 0), pools, 1, 0)
    return Program((*pools, _operation(("put", 0), pools, 1, 1)), ((look,), (let_go, put)))


def _left(flags: int, filled: bool) -> Program:
    """One thread gets a page of a shared pool; its client leaves it, and the other client puts a page."""
    pools = [NewPool(client, flags, UUID) for client in (1, 2)]
    setup = (*pools, _operation(("put", 0), pools, 1, 1)) if filled else tuple(pools)
    look, leave = _operation(("get", 0), pools, 1, 0), _operation(("destroy", 0), pools, 1, 0)
    return Program(setup, ((look,), (leave, _operation(("put", 0), pools, 2, 2))))


def _program(
    draw: random.Random,
    flags: int,
    first: tuple[str, int],
    second: tuple[str, int],
    filled: bool,
    more: tuple[str, ...],
    other: int | None = None,
) -> Program:
    """One thread does the first operation, the other the second and then one of `more`, each at an index.

    With `filled` the slot of the second operation holds a page. `other` is the client of the second thread.
    """
    clients = (1, 2) if flags & SHARED else (1,)
    pools = [NewPool(client, flags, UUID if flags & SHARED else None) for client in clients]
    setup: list[Operation] = [*pools]
    if filled:
        setup.append(_operation(("put", second[1]), pools, 1, 1))
    if "new" in (first[0], second[0]):  # a pool that is made again was destroyed before
        setup += [DestroyPool(client, pool) for pool, client in enumerate(clients)]
    one = [_operation(first, pools, 1, 2)]
    if first[0] == "new":
        one.append(_operation(("put", 0), pools, 1, 3))
    other = other or draw.choice(clients)
    looks = second[0] == "destroy" or first[1] != second[1]
    after = "get" if looks else draw.choice(more)
    looking = clients[-1] if other == 1 else 1
    two = [_operation(second, pools, other, 4), _operation((after, first[1]), pools, looking, 5)]
    return Program(tuple(setup), (tuple(one), tuple(two)))


def _operation(kind: tuple[str, int], pools: list[NewPool], client: int, page: int) -> Operation:
    pool = client - 1
    handle = Handle(pool, _OID, kind[1])
    match kind[0]:
        case "put":
            return Put(client, handle, number(page))
        case "get":
            return Get(client, handle)
        case "flush_page":
            return FlushPage(client, handle)
        case "flush_object":
            return FlushObject(client, pool, _OID)
        case "destroy":
            return DestroyPool(client, pool)
        case "new":
            return pools[pool]
        case _:
            return Reclaim(1)
