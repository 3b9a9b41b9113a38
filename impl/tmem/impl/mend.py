"""What makes the store right again after an exception in the midst of an operation.

Signals such as Ctrl-C raise between any two instructions. The pages that pools hold are the truth, since each
comes or goes in one instruction; counts, room and reclaim order are computed from them. Whoever takes
locks calls one of these functions for an exception of any kind: it mends what these locks guard, while
nobody else has seen it yet, and then releases them. Where the thread holds no lock, there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from tmem.impl.order import Entry, OrderedObject
from tmem.impl.pool import Pool
from tmem.impl.room import Room
from tmem.impl.waiting import let_go, owned

TRIES = 8
"""Times to start again after an exception during the mending, as when somebody keeps pressing Ctrl-C."""


def mend_pool(pool: Pool, popped: Sequence[Entry] = ()) -> None:
    """Mend a pool and the room if the thread holds the lock of the pool; release the locks of both.

    `popped` are entries that were taken out of the reclaim order and belong in front of it, oldest first.
    """

    def recount() -> None:
        pool.room.lock.acquire()
        pool.recount()

    try:
        if owned(pool.lock):
            insist(recount)
        mend_room(pool.room, popped)
    finally:
        let_go(pool.lock)


def mend_room(room: Room, popped: Sequence[Entry] = ()) -> None:
    """Mend the room if the thread holds its lock, and release that."""

    def recount() -> None:
        room.used = sum(pool.held for pool in room.pools)
        room.order.mend(_ephemeral(room), popped)

    try:
        if owned(room.lock):
            insist(recount)
    finally:
        let_go(room.lock)


def _ephemeral(room: Room) -> list[OrderedObject]:
    """All objects of ephemeral pools."""
    pools = [cast(Pool, pool) for pool in room.pools]
    return [obj for pool in pools if not pool.persistent for obj in pool.objects.values()]


def insist(work: Callable[[], None]) -> None:
    """Do the work to its end, from the beginning after each exception."""
    for _ in range(TRIES - 1):
        try:
            work()
        except BaseException:
            continue
        else:
            return
    work()
