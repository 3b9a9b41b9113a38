"""diskcache: ephemeral pools.

`pop` gets a page and removes it in one transaction. An object is a tag, by which `evict` removes its pages
a few at a time: TMEM-CONC-2 lets flush object do so.

Run: tmem check py:examples/stores/disk_cache.py:Right
"""

from __future__ import annotations

from diskcache import Cache

from adapter import Adapter, Pool
from of_the_run import folder

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
BYTES = 8 << 20


class Right(Adapter):
    """Pop, and tags."""

    offers_persistent = False

    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache(str(folder("diskcache")), size_limit=BYTES, timeout=600, tag_index=True)

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Set; what it culls are pages of any object."""
        return bool(self.cache.set(slot(pool, oid, index), page, tag=f"{pool.name}:{oid:x}", retry=True))

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Pop."""
        page: bytes | None = self.cache.pop(slot(pool, oid, index), retry=True)
        return page

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Delete."""
        return bool(self.cache.delete(slot(pool, oid, index), retry=True))

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Evict the tag of the object."""
        return bool(self.cache.evict(f"{pool.name}:{oid:x}", retry=True))

    def drop_pool(self, pool: Pool) -> None:
        """Nothing: the cache culls the pages in time."""

    def close(self) -> None:
        """End the connections."""
        super().close()
        self.cache.close()


class Naive(Right):
    """Get and delete are two calls: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Get, then delete."""
        page: bytes | None = self.cache.get(slot(pool, oid, index), retry=True)
        if page is not None:
            self.cache.delete(slot(pool, oid, index), retry=True)
        return page


def slot(pool: Pool, oid: int, index: int) -> str:
    """The key of a slot."""
    return f"{pool.name}:{oid:x}:{index:x}"
