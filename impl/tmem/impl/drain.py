"""Freeing what flush object and destroy pool detached, a little at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

from tmem.impl.mend import insist, mend_pool
from tmem.impl.pam import Pampd
from tmem.impl.pause import PIECE, pause
from tmem.impl.pool import Object, Pool

HOLD = 64
"""Pages that are taken in one hold of the locks: some 20 to 60 µs."""


def drain(pool: Pool, detached: dict[int, Object]) -> None:
    """Free the pages of detached objects, and give their room back; to the end, if an exception comes too.

    If a million pages were dropped with their dict, all threads would stop for a tenth of a second.
    """
    try:
        _drain(pool, detached)
    except BaseException:
        insist(partial(_drain, pool, detached))
        raise


def drain_all(pool: Pool) -> None:
    """Free the pages of all objects that were detached from the pool."""
    for detached in pool.leaving:
        drain(pool, detached)


def _drain(pool: Pool, detached: dict[int, Object]) -> None:
    pages = 0
    pampds: Iterator[Pampd] = iter(())
    try:
        while detached:
            pool.lock.acquire()
            pampds = iter(pool.give_back(detached, HOLD))
            pool.lock.release()
            deque(map(pool.pam.free, pampds), 0)
            pages += HOLD
            if not pages % PIECE:
                pause()
    except BaseException:
        mend_pool(pool)
        deque(map(pool.pam.free, pampds), 0)
        raise
