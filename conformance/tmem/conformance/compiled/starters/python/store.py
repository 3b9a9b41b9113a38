"""A naive store: a dictionary of pages under one lock. Its pools are private, ephemeral or persistent."""

import errno
import os
import threading
from itertools import count

FAULT = bool(os.environ.get("FAULT"))  # make fault sets it
PERSIST = 1
VERSION = 1 << 24


class Store:
    page_size = 4096

    def __init__(self) -> None:
        self.lock, self.ids = threading.Lock(), count()
        self.pools: dict[tuple[int, int], bool] = {}
        self.pages: dict[tuple[int, int, int], bytes] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if flags & ~(PERSIST | VERSION):
            raise OSError(errno.EPERM, "flags not taken")
        with self.lock:
            self.pools[client, pool := next(self.ids)] = bool(flags & PERSIST)
            return pool

    def persistent(self, client: int, pool: int, oid: int = 0, index: int = 0, size: int = page_size) -> bool:
        if oid >> 192 or index >> 32 or size != self.page_size:
            raise OSError(errno.EINVAL, "no such handle, or not a page")
        if (client, pool) not in self.pools:
            raise OSError(errno.ENODEV, "no such pool")
        return self.pools[client, pool]

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        with self.lock:
            self.persistent(client, pool, oid, index, len(page))
            self.pages[pool, oid, index] = bytes(page)
            return True

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.lock:
            persistent, slot = self.persistent(client, pool, oid, index), (pool, oid, index)
            if not FAULT:
                return self.pages.get(slot) if persistent else self.pages.pop(slot, None)
            page = self.pages.get(slot)
        if not persistent:  # another get may have come first
            self.pages.pop(slot, None)
        return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            self.persistent(client, pool, oid, index)
            return self.pages.pop((pool, oid, index), None) is not None

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        with self.lock:
            self.persistent(client, pool, oid)
            return bool([self.pages.pop(slot) for slot in list(self.pages) if slot[:2] == (pool, oid)])

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            self.persistent(client, pool)
            self.pages = {slot: page for slot, page in self.pages.items() if slot[0] != pool}
            return self.pools.pop((client, pool)) is not None

    def close(self) -> None:
        self.pages.clear()
