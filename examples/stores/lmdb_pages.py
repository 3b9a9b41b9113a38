"""lmdb: ephemeral and persistent pools in one tree.

Each operation is one write transaction, except a get from a persistent pool. Where the map is full even a
delete can fail, so a put is refused before that, by the number of pages.

Run: tmem check py:examples/stores/lmdb_pages.py:Right
"""

from __future__ import annotations

import secrets
import threading

import lmdb

from adapter import Adapter, Pool
from of_the_run import folder

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
PAGES = 1024
"""Pages that are taken; the map has room for four times as many."""
OPENED: list[lmdb.Environment] = []
"""The map that all backends of this process share: a process may open it once."""
LOCK = threading.Lock()


class Right(Adapter):
    """One transaction for each operation."""

    def __init__(self) -> None:
        super().__init__()
        with LOCK:
            if not OPENED:  # this file can be imported more than once
                path = folder("lmdb") / secrets.token_hex(4)
                OPENED.append(lmdb.open(str(path), map_size=PAGES << 14, sync=False, max_readers=1024))
            self.map = OPENED[0]

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Put, or delete where there are pages enough."""
        with self.map.begin(write=True) as change:
            if change.stat()["entries"] < PAGES:
                return bool(change.put(slot(pool, oid, index), page))
            change.delete(slot(pool, oid, index))
            return False

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Get from a persistent pool, pop from an ephemeral one."""
        with self.map.begin(write=not pool.persistent) as change:
            key = slot(pool, oid, index)
            page: bytes | None = change.get(key) if pool.persistent else change.pop(key)
        return page

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Delete one key."""
        with self.map.begin(write=True) as change:
            return bool(change.delete(slot(pool, oid, index)))

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Delete all keys that begin as the object does, in one transaction."""
        return self.drop(pool.name.encode() + b":" + oid.to_bytes(24, "big"))

    def drop_pool(self, pool: Pool) -> None:
        """Delete all keys that begin as the pool does."""
        self.drop(pool.name.encode() + b":")

    def drop(self, prefix: bytes) -> bool:
        """Delete all keys with a prefix; whether there were any."""
        found = False
        with self.map.begin(write=True) as change, change.cursor() as at:
            more = at.set_range(prefix)
            while more and at.key().startswith(prefix):
                found = True
                more = at.delete()
        return found


class Naive(Right):
    """Gets in one transaction and deletes in another: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Two transactions."""
        with self.map.begin() as view:
            page: bytes | None = view.get(slot(pool, oid, index))
        if page is not None and not pool.persistent:
            self.drop_page(pool, oid, index)
        return page


def slot(pool: Pool, oid: int, index: int) -> bytes:
    """The key of a slot, at most 511 bytes."""
    return pool.name.encode() + b":" + oid.to_bytes(24, "big") + index.to_bytes(4, "big")
