"""diskcache with lz4 data, on its own settings but for eviction."""

from __future__ import annotations

from pathlib import Path

from diskcache import Cache
from lz4.block import compress, decompress

from bench.subjects import Keyed


class Disk(Keyed):
    """Small data stays in its SQLite base."""

    def __init__(self, folder: Path) -> None:
        self._cache = Cache(str(folder), eviction_policy="none")

    def store(self, key: int, page: bytes) -> None:
        self._cache.set(key, compress(page))

    def read(self, key: int) -> bytes | None:
        data = self._cache.get(key)
        return None if data is None else decompress(data)

    def drop(self, key: int) -> None:
        self._cache.delete(key)

    def close(self) -> None:
        self._cache.close()
