"""memcached on a unix socket, by pylibmc: pages go as they are, which is faster than lz4 data here."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pylibmc

from bench.servers import Server
from bench.subjects import Handle, Keyed


class Memcached(Keyed):
    """A connection for each thread: the client must not be shared by threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "socket"
        user = ["-u", "root"] if os.getuid() == 0 else []
        self._server = Server(["memcached", "-s", str(self._path), "-m", "4096", *user], self._path)
        self._local = threading.local()

    @property
    def _client(self) -> pylibmc.Client:
        try:
            return self._local.client
        except AttributeError:
            self._local.client = pylibmc.Client([str(self._path)])
            return self._local.client

    def keys(self, handles: Sequence[Handle]) -> list[bytes]:
        return [b"%x" % (oid << 32 | index) for oid, index in handles]

    def store(self, key: bytes, page: bytes) -> None:
        self._client.set(key, page)

    def read(self, key: bytes) -> bytes | None:
        page: bytes | None = self._client.get(key)
        return page

    def drop(self, key: bytes) -> None:
        self._client.delete(key)

    def close(self) -> None:
        self._server.stop()
