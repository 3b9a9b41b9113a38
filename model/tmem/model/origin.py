"""The origin of a page: who put it where, and what ended it.

From it follows which clause a get breaks that returns the page of another slot, or a page that had ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmem.spec.handle import Handle
from tmem.spec.slot import Kind

ENDED_BY = {
    "TMEM-PUT-1": "a put that failed",
    "TMEM-PUT-3": "a later put to its slot",
    "TMEM-GET-1": "a get of its slot that missed",
    "TMEM-GET-2": "an exclusive hit",
    "TMEM-FLUSH-1": "a flush of its slot",
    "TMEM-FLUSH-2": "a flush of its object",
    "TMEM-POOL-3": "the end of its pool",
    "TMEM-ARG-1": "the refusal of a put of it",
}
"""The clause that forbids to show a page again, and what ended the page."""


@dataclass(slots=True)
class Origin:
    """The life of one page: who put it where, and what ended it.

    `pool` numbers pools as they were made, so that a pool differs from an earlier one of the same id;
    `pressure` is the judge's at the put; `replaced` says that it took another page's place; `ended` is
    the clause that forbids the page since, None while it may be shown; `earlier` is the put of an equal page
    before this one.
    """

    client: int
    pool: int
    kind: Kind
    handle: Handle
    put: int
    pressure: int
    replaced: bool = False
    ended: str | None = None
    end: int = 0
    earlier: Origin | None = None

    def life(self) -> str:
        """The page's life in words."""
        born = f"the page of put #{self.put} at {self.handle} by client {self.client}"
        return born if self.ended is None else f"{born}, which {ENDED_BY[self.ended]} (#{self.end}) had ended"


def same_pool(origin: Origin, handle: Handle) -> str:
    """The clause that forbids to show, at this handle, the page of another slot of the same pool."""
    return "TMEM-HANDLE-2" if _differ_high_only(origin.handle, handle) else "TMEM-HANDLE-1"


def foreign(origin: Origin, client: int, kind: Kind, handle: Handle) -> str:
    """The clause that forbids to show this client, at this handle, a page of another pool.

    >>> put = Origin(1, 0, Kind(), Handle(0, 5, 0), put=1, pressure=0)
    >>> foreign(put, 2, Kind(), Handle(0, 5, 0)), foreign(put, 1, Kind(), Handle(0, 5 + (1 << 128), 0))
    ('TMEM-POOL-2', 'TMEM-HANDLE-2')
    >>> foreign(put, 1, Kind(), Handle(0, 5, 1)), foreign(put, 1, Kind(), Handle(1, 5, 0))
    ('TMEM-HANDLE-1', 'TMEM-HANDLE-1')
    """
    if origin.client != client:
        return "TMEM-SHARE-1" if origin.kind.shared and kind.shared else "TMEM-POOL-2"
    if origin.handle.pool != handle.pool:
        return "TMEM-SHARE-1" if origin.kind.shared and kind.shared else "TMEM-HANDLE-1"
    if origin.handle == handle:  # the pool that had this id before
        return origin.ended or "TMEM-POOL-3"
    return same_pool(origin, handle)


def _differ_high_only(a: Handle, b: Handle) -> bool:
    # The low parts are what a truncating store keeps: a word of the object id, a level (64) of a radix tree.
    return (a.oid ^ b.oid) & (1 << 64) - 1 == 0 and (a.index ^ b.index) & 63 == 0
