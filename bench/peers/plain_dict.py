"""A dict, lz4 and one lock: what people write themselves. It has no budget, no pools and no reclaim."""

from __future__ import annotations

import threading
from pathlib import Path

from lz4.block import compress, decompress

from bench.subjects import Keyed


class PlainDict(Keyed):
    """Compresses outside the lock, as a careful author would."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._data: dict[int, bytes] = {}

    def store(self, key: int, page: bytes) -> None:
        data = compress(page)
        with self._lock:
            self._data[key] = data

    def read(self, key: int) -> bytes | None:
        with self._lock:
            data = self._data.get(key)
        return None if data is None else decompress(data)

    def drop(self, key: int) -> None:
        with self._lock:
            self._data.pop(key, None)
