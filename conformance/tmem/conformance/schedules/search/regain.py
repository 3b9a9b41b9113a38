"""The room that an execution leaves: once every pool is destroyed, as many pages find room as at first.

If overlapping calls lose an update of the store's account, none of their answers shows it.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from tmem.conformance.programs.pages import corpus
from tmem.spec.abi.flags import compose
from tmem.spec.backend import Backend
from tmem.spec.clauses.claims import room_regained

REGAIN: Final = "regain"
"""The claim that is checked here."""
MOST: Final = 24
"""Pages of the largest fill. Filling a larger store would take far longer than an execution."""
_CLIENT: Final = 1
_OID: Final = 7


def fill(backend: Backend) -> tuple[bytes, ...]:
    """The pages that a fresh backend takes into a persistent pool until it has room for no more.

    Returns no pages if it takes none, or more than MOST. Pages that compress well come last, so that they
    leave little room.
    """
    pages = sorted(corpus(backend.page_size).pages, key=_size, reverse=True)
    pool = _pool(backend)
    if pool is None:
        return ()
    took: list[bytes] = []
    for page in pages:
        if _put(backend, pool, len(took), page):
            took.append(page)
        if len(took) > MOST:
            return ()
    return tuple(took)


def lost_room(backend: Backend, pools: Iterable[tuple[int, int]], pages: Sequence[bytes]) -> str:
    """Destroy the pools (client, id), put the pages of a fill, and say what is wrong, if anything.

    If a pool cannot be destroyed, or no pool can be made, there is nothing to say.
    """
    for client, pool in pools:
        try:
            backend.destroy_pool(client, pool)
        except Exception as error:
            if not isinstance(error, OSError) or error.errno != errno.ENODEV:
                return ""
    made = _pool(backend)
    if made is None:
        return ""
    took = next((n for n, page in enumerate(pages) if not _put(backend, made, n, page)), len(pages))
    if room_regained(len(pages), took):
        return ""
    return (
        f"With all threads ended and every pool destroyed, a new pool takes {took} of {len(pages)} pages "
        "that all find room in a fresh store."
    )


def _size(page: bytes) -> int:
    return len(zlib.compress(page, 1))


def _pool(backend: Backend) -> int | None:
    try:
        return backend.new_pool(_CLIENT, compose(persistent=True, page_size=backend.page_size))
    except Exception:
        return None


def _put(backend: Backend, pool: int, index: int, page: bytes) -> bool:
    try:
        return backend.put(_CLIENT, pool, _OID, index, page) is True
    except Exception:
        return False
