"""Giving back the memory of what flush object and destroy pool detached, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator

from tmem.impl.pam import Pampd
from tmem.impl.pause import PIECE, pause
from tmem.impl.pool import Object, Pool
from tmem.impl.room import OBJECT


def drain(pool: Pool, objects: dict[int, Object]) -> None:
    """Free the pages of detached objects, and give their room back.

    Nobody else reaches these pages any more, so no lock is held but the room's, for one sum a piece.
    A million pages would stop all threads for a tenth of a second, were they dropped with their dict.
    """
    size, overhead, free = pool.pam.size, pool.cost, pool.pam.free
    room = pool.room
    for piece, (pages, emptied) in enumerate(_pieces(objects)):
        if piece:
            pause()
        cost = emptied * OBJECT + len(pages) * overhead + sum(map(size, pages))
        for pampd in pages:
            free(pampd)
        if pool.host is not None:
            for _ in range(emptied):
                pool.host.obj_free()
        with room.lock:
            room.used -= cost
            room.order.tidy(len(pages))


def _pieces(objects: dict[int, Object]) -> Iterator[tuple[list[Pampd], int]]:
    """All pages in lists of up to PIECE, each with how many objects became empty with it."""
    piece: list[Pampd] = []
    emptied = 0
    while objects:
        pages = objects.popitem()[1].pages
        while pages:
            if len(piece) == PIECE:
                yield piece, emptied
                piece, emptied = [], 0
            piece.append(pages.popitem()[1])
        emptied += 1
    if emptied:
        yield piece, emptied
