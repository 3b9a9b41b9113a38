"""A store that keeps an account of its room: sound, and small enough to break by one change of its text."""

from __future__ import annotations

import threading
from errno import ENODEV
from typing import ClassVar

ROOM = 4


class Store:
    """Room for four pages in all pools; all are private and persistent."""

    page_size = 64
    claims: ClassVar[frozenset[str]] = frozenset({"regain"})

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.account = threading.Lock()
        self.used = 0
        self.made = 0
        self.pools: dict[tuple[int, int], dict[tuple[int, int], bytes]] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        with self.lock:
            self.made += 1
            self.pools[client, self.made] = {}
            return self.made

    def pool_flags(self, client: int, pool: int) -> int:
        return 1 | 1 << 24

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            pages = self.pools.pop((client, pool), None)
        if pages is None:
            return False
        self.charge(-len(pages))
        return True

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        with self.lock:
            pages = self._pages(client, pool)
            old = pages.pop((oid, index), None)
            if old is not None:
                self.charge(-1)
            if not self.charge(1):
                return False
            pages[oid, index] = bytes(page)
            return True

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.lock:
            return self._pages(client, pool).get((oid, index))

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            found = self._pages(client, pool).pop((oid, index), None) is not None
        self.charge(-found)
        return found

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        with self.lock:
            pages = self._pages(client, pool)
            gone = [at for at in pages if at[0] == oid]
            for at in gone:
                del pages[at]
        self.charge(-len(gone))
        return bool(gone)

    def close(self) -> None:
        self.pools.clear()

    def charge(self, pages: int) -> bool:
        with self.account:
            used = self.used + pages
            if used > ROOM:
                return False
            self.used = used
        return True

    def _pages(self, client: int, pool: int) -> dict[tuple[int, int], bytes]:
        if (client, pool) not in self.pools:
            raise OSError(ENODEV, f"client {client} has no pool {pool}")
        return self.pools[client, pool]
