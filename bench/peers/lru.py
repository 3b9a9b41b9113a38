"""cachetools' LRU cache over lz4 data, under the lock that its documentation asks for."""

from __future__ import annotations

import threading
from pathlib import Path

from cachetools import LRUCache
from lz4.block import compress, decompress

from bench.subjects import Keyed


class Lru(Keyed):
    """A cache with entries counted by the size of their data, and a limit that is never reached."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._cache: LRUCache[int, bytes] = LRUCache(maxsize=1 << 40, getsizeof=len)

    def store(self, key: int, page: bytes) -> None:
        data = compress(page)
        with self._lock:
            self._cache[key] = data

    def read(self, key: int) -> bytes | None:
        with self._lock:
            data = self._cache.get(key)
        return None if data is None else decompress(data)

    def drop(self, key: int) -> None:
        with self._lock:
            self._cache.pop(key, None)
