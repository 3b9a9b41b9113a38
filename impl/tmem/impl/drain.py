"""Giving back the memory of what flush object and destroy pool detached, a little at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tmem.impl.pam import Pampd
from tmem.impl.pool import Object, Pool
from tmem.impl.room import OBJECT

CHUNK = 512
"""Pages given back before other threads get their turn."""
PAUSE = 20e-6
"""Seconds. A sleep of 0 would take the interpreter lock again before anyone who waits for it wakes up."""


def drain(pool: Pool, objects: dict[int, Object]) -> None:
    """Free the pages of detached objects, and give their room back.

    Nobody else reaches these pages any more, so no lock is held but the room's, for one sum a chunk.
    A million pages would stop all threads for a tenth of a second, were they dropped with their dict.
    """
    size, overhead, free = pool.pam.size, pool.cost, pool.pam.free
    room = pool.room
    for chunk, (pages, emptied) in enumerate(_chunks(objects)):
        if chunk:
            time.sleep(PAUSE)
        cost = emptied * OBJECT + len(pages) * overhead + sum(map(size, pages))
        for pampd in pages:
            free(pampd)
        if pool.host is not None:
            for _ in range(emptied):
                pool.host.obj_free()
        with room.lock:
            room.used -= cost
            room.order.tidy(2 * len(pages))


def _chunks(objects: dict[int, Object]) -> Iterator[tuple[list[Pampd], int]]:
    """All pages in lists of up to CHUNK, each with how many objects became empty with it."""
    chunk: list[Pampd] = []
    emptied = 0
    while objects:
        pages = objects.popitem()[1].pages
        while pages:
            if len(chunk) == CHUNK:
                yield chunk, emptied
                chunk, emptied = [], 0
            chunk.append(pages.popitem()[1])
        emptied += 1
    if emptied:
        yield chunk, emptied
