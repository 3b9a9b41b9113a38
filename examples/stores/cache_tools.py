"""cachetools: ephemeral pools in an LRUCache of this process.

Its caches are not safe for threads, as its documentation says, and flush object looks at every key: one
lock is held for each operation.

Run: tmem check py:examples/stores/cache_tools.py:Right
"""

from __future__ import annotations

import threading

from cachetools import LRUCache

from adapter import Adapter, Pool

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
PAGES = 64


class Right(Adapter):
    """One lock."""

    offers_persistent = False

    def __init__(self) -> None:
        super().__init__()
        self.cache: LRUCache[tuple[str, int, int], bytes] = LRUCache(PAGES)
        self.lock = threading.Lock()

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Set an item, which may evict another."""
        with self.lock:
            self.cache[pool.name, oid, index] = page
            return True

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Pop an item."""
        with self.lock:
            return self.cache.pop((pool.name, oid, index), None)

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Pop an item, and drop it."""
        with self.lock:
            return self.cache.pop((pool.name, oid, index), None) is not None

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Pop each item of the object."""
        with self.lock:
            return bool(
                [self.cache.pop(key, None) for key in list(self.cache) if key[:2] == (pool.name, oid)]
            )

    def drop_pool(self, pool: Pool) -> None:
        """Pop each item of the pool."""
        with self.lock:
            for key in [key for key in self.cache if key[0] == pool.name]:
                del self.cache[key]


class Naive(Right):
    """Gets an item, then drops it, without a lock: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Two calls of the cache."""
        page: bytes | None = self.cache.get((pool.name, oid, index))
        self.cache.pop((pool.name, oid, index), None)
        return page
