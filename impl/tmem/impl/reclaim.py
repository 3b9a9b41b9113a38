"""Reclaim: ephemeral pages go, oldest first, from below: from the page up to its pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

from tmem.impl.mend import mend_pool, mend_room
from tmem.impl.order import Entry
from tmem.impl.pam import Pampd
from tmem.impl.pause import PIECE, pause
from tmem.impl.pool import Object, Pool
from tmem.impl.room import UNLIMITED, Room
from tmem.impl.waiting import let_go

BATCH = 8
"""Entries of the order that are looked at in one hold of the room's lock: some 10 µs, 100 at the worst."""
TRIES = 8
"""Times to wait for a pool that is busy, with nothing reclaimed, before giving up."""


class Struck(NamedTuple):
    """What one batch did: entries looked at, pages reclaimed, bytes given, a pool that was busy."""

    looked: int
    pages: int
    bytes: int
    busy: Pool | None


def strike(room: Room, pages: int, wanted: int) -> Struck:
    """Reclaim up to `pages` of the oldest pages, until `wanted` bytes are given; one batch of that.

    The lock order is pool, then room; a reclaimer comes the other way, so it only tries the lock of the
    page's pool. The holder of that lock may be about to take this very page: the entry is passed over and
    keeps its place. With both locks held, an entry that is not stale has its page.
    """
    looked = 0
    gone: list[tuple[Pool, Pampd]] = []
    passed: list[Entry] = []
    entry: Entry | None = None
    pool: Pool | None = None
    freeing: Iterator[tuple[Pool, Pampd]] = iter(gone)
    try:
        room.lock.acquire()
        order, used = room.order, room.used
        while looked < BATCH and len(gone) < pages and used - room.used < wanted:
            entry = order.pop()
            if entry is None:
                break
            looked += 1
            obj, index = entry
            if order.drop_if_stale(obj, index):
                continue
            pool = cast(Pool, obj.pool)
            if not pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            gone.append((pool, pool.evict(cast(Object, obj), index)))
            pool.lock.release()
        for obj, index in reversed(passed):
            order.push_back(obj, index)
        given = used - room.used
        room.lock.release()
        for pool, pampd in freeing:
            pool.pam.free(pampd)
    except BaseException:
        popped = passed if entry is None else [*passed, entry]
        if pool is None:
            mend_room(room, popped)
        else:
            mend_pool(pool, popped)
        for pool, pampd in freeing:
            pool.pam.free(pampd)
        raise
    return Struck(looked, len(gone), given, cast(Pool, passed[0][0].pool) if passed else None)


def reclaim(room: Room, pages: int, wanted: int = UNLIMITED) -> Struck:
    """Strike until `pages` are reclaimed or `wanted` bytes given, or nothing is left to reclaim.

    The caller holds no lock. If all pages of a batch were in busy pools, this waits for one of these pools.
    """
    looked = gone = given = tries = 0
    while gone < pages and given < wanted:
        struck = strike(room, pages - gone, wanted - given)
        looked, gone, given = looked + struck.looked, gone + struck.pages, given + struck.bytes
        if not struck.looked:
            break
        if looked % PIECE < struck.looked:
            pause()
        if struck.busy is not None and not struck.pages:
            if tries == TRIES:
                break
            tries += 1
            wait_for(struck.busy)
    return Struck(looked, gone, given, None)


def wait_for(pool: Pool) -> None:
    """Return once nobody is in the pool."""
    try:
        pool.lock.acquire()
        pool.lock.release()
    except BaseException:
        let_go(pool.lock)
        raise
