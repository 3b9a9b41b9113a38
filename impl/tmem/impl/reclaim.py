"""Reclaim: ephemeral pages go, oldest first, from below: from the page up to its pool."""

from __future__ import annotations

from typing import NamedTuple

from tmem.impl.pam import Pampd
from tmem.impl.pause import PIECE, pause
from tmem.impl.pool import Object, Pool
from tmem.impl.room import UNLIMITED, Room

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
    page's pool. Whoever holds that may be about to take this very page: it is passed over and keeps its
    place. With both locks held, an entry that is not stale has its page.
    """
    looked = 0
    gone: list[tuple[Pool, Pampd]] = []
    passed: list[tuple[Object, int]] = []
    with room.lock:
        order, used = room.order, room.used
        while looked < BATCH and len(gone) < pages and used - room.used < wanted:
            entry = order.pop()
            if entry is None:
                break
            looked += 1
            obj, index = entry
            if order.is_stale(obj, index):
                continue
            if not obj.pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            try:
                gone.append((obj.pool, obj.pool.evict(obj, index)))
            finally:
                obj.pool.lock.release()
        for obj, index in reversed(passed):
            order.push_back(obj, index)
        given = used - room.used
    for pool, pampd in gone:
        pool.pam.free(pampd)
    return Struck(looked, len(gone), given, passed[0][0].pool if passed else None)


def reclaim(room: Room, pages: int, wanted: int = UNLIMITED) -> Struck:
    """Batches, until `pages` are reclaimed or `wanted` bytes given, or nothing is left to reclaim.

    The caller holds no lock: where all pages that a batch met were busy, it waits for one of their pools.
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
            with struck.busy.lock:
                pass
    return Struck(looked, gone, given, None)
