"""One operation against a script: meanwhile another thread does two to four operations that bring back
the slot, the object or the pool id in another shape.

What an operation has looked up, and uses after that, is then something else under the same name: the page of
another put, an object with other pages, a pool of another kind under the same id.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from tmem.conformance.schedules.threaded.program import EPHEMERAL, PERSISTENT, UUID, Program, number
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, Operation, Put, Reclaim

OID: Final = 7
OTHER_CLIENT: Final = 2


@lru_cache(2)
def scripts(seed: int, reclaims: bool, shared: bool) -> list[Program]:
    """A program for each operation, script and kind of pool. The seed decides their order.

    The first thread is the operation, the second the script.
    """
    kinds = (EPHEMERAL, PERSISTENT, *([EPHEMERAL | SHARED, PERSISTENT | SHARED] if shared else []))
    programs = [program for flags in kinds for program in _of_kind(flags, reclaims)]
    random.Random(f"scripts {seed}").shuffle(programs)
    return programs


def _of_kind(flags: int, reclaims: bool) -> Iterator[Program]:
    uuid = UUID if flags & SHARED else None
    pool = NewPool(1, flags, uuid)
    theirs = NewPool(OTHER_CLIENT, flags, uuid)  # a sharer, or another client with a pool of its own
    setup = (pool, theirs, _put(0, 0, 1), _put(0, 1, 2))
    for operation in _operations(reclaims):
        for script in (*_of_slot(flags, reclaims), *_of_pool(pool), *_of_others(theirs, reclaims)):
            yield Program(setup, ((operation,), script))


def _operations(reclaims: bool) -> Iterator[Operation]:
    yield _put(0, 0, 3)
    yield Get(1, Handle(0, OID, 0))
    yield FlushPage(1, Handle(0, OID, 0))
    yield FlushObject(1, 0, OID)
    yield DestroyPool(1, 0)
    if reclaims:
        yield Reclaim(1)


def _of_slot(flags: int, reclaims: bool) -> Iterator[tuple[Operation, ...]]:
    # The slot holds another page, or its object has other pages.
    yield FlushPage(1, Handle(0, OID, 0)), _put(0, 0, 4)
    yield FlushObject(1, 0, OID), _put(0, 1, 4)
    yield _put(0, 0, 4), _put(0, 0, 5)
    if not flags & PERSIST:
        yield Get(1, Handle(0, OID, 0)), _put(0, 0, 4)
        if reclaims:
            yield Reclaim(2), _put(0, 0, 4)


def _of_pool(pool: NewPool) -> Iterator[tuple[Operation, ...]]:
    # The pool is made again, of the same kind and of another.
    yield DestroyPool(1, 0), pool, _put(0, 0, 4)
    if pool.uuid is None:
        yield DestroyPool(1, 0), NewPool(1, pool.flags ^ PERSIST), _put(2, 0, 4)


def _of_others(theirs: NewPool, reclaims: bool) -> Iterator[tuple[Operation, ...]]:
    # Another client leaves the pool and joins again, or makes its own again; its page gets freed memory.
    page = Put(OTHER_CLIENT, Handle(1, OID, 0), number(6))
    yield FlushPage(1, Handle(0, OID, 0)), page
    if reclaims:
        yield Reclaim(1), page
    if theirs.uuid is not None:
        yield DestroyPool(1, 0), page, DestroyPool(OTHER_CLIENT, 1), theirs


def _put(pool: int, index: int, page: int) -> Put:
    return Put(1, Handle(pool, OID, index), number(page))
