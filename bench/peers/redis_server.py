"""Redis on a unix socket, by redis-py with hiredis, with lz4 data and nothing written to disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hiredis  # noqa: F401  (redis-py takes it where it is there: without it the peer would be slower)
import redis
from lz4.block import compress, decompress

from bench.servers import Server
from bench.subjects import Handle, Keyed


class Redis(Keyed):
    """One client with its own pool of connections."""

    def __init__(self, folder: Path) -> None:
        path = folder / "socket"
        command = [
            "redis-server",
            "--unixsocket",
            str(path),
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._server = Server(command, path)
        self._client = redis.Redis(unix_socket_path=str(path))

    def keys(self, handles: Sequence[Handle]) -> list[bytes]:
        return [b"%x" % (oid << 32 | index) for oid, index in handles]

    def store(self, key: bytes, page: bytes) -> None:
        self._client.set(key, compress(page))

    def read(self, key: bytes) -> bytes | None:
        data = self._client.get(key)
        return None if data is None else decompress(data)

    def drop(self, key: bytes) -> None:
        self._client.delete(key)

    def close(self) -> None:
        self._client.close()
        self._server.stop()
