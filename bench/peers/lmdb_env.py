"""lmdb with lz4 data: a transaction per operation, nothing synced to disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lmdb
from lz4.block import compress, decompress

from bench.subjects import Handle, Keyed


class Lmdb(Keyed):
    """A writable map without sync, the fastest that lmdb offers for single operations."""

    def __init__(self, folder: Path) -> None:
        self._env = lmdb.open(
            str(folder),
            map_size=1 << 34,
            writemap=True,
            map_async=True,
            sync=False,
            metasync=False,
            lock=True,
        )

    def keys(self, handles: Sequence[Handle]) -> list[bytes]:
        return [(oid << 32 | index).to_bytes(8, "big") for oid, index in handles]

    def store(self, key: bytes, page: bytes) -> None:
        data = compress(page)
        with self._env.begin(write=True) as transaction:
            transaction.put(key, data)

    def read(self, key: bytes) -> bytes | None:
        with self._env.begin(buffers=True) as transaction:
            data = transaction.get(key)
            return None if data is None else decompress(data)

    def drop(self, key: bytes) -> None:
        with self._env.begin(write=True) as transaction:
            transaction.delete(key)

    def close(self) -> None:
        self._env.close()
