"""A base for adapters: it checks arguments and keeps the table of pools; a store says where pages go.

A store behind it has private pools of the kinds it names. An adapter implements six methods on slots, whose
arguments are right and whose pool lives. It must hold for calls that overlap; the table here does.
"""

from __future__ import annotations

import errno
import secrets
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import count

PERSIST = 1
VERSION = 1 << 24
ENODEV, EINVAL, EPERM = errno.ENODEV, errno.EINVAL, errno.EPERM


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that lives. `name` is no other pool's, of any backend at any time: a prefix for keys."""

    name: str
    persistent: bool


class Adapter(ABC):
    """What every adapter does the same way."""

    page_size = 4096
    offers_ephemeral = True
    offers_persistent = True

    def __init__(self) -> None:
        self._namespace = secrets.token_hex(6)  # a server that many backends use keeps them apart by it
        self._ids = count()
        self._pools: dict[tuple[int, int], Pool] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Store a page. Where it answers False, the slot must hold nothing: not the old page either."""

    @abstractmethod
    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Return the page, and remove it if the pool is ephemeral: of two gets at once one hits."""

    @abstractmethod
    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Empty the slot; whether it held a page."""

    @abstractmethod
    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Empty all slots of the object, also those that a put fills while this goes on."""

    @abstractmethod
    def drop_pool(self, pool: Pool) -> None:
        """Free the pages of a pool that nobody reaches any more; ephemeral ones may be left to vanish."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a private pool. Ids never come back."""
        persistent = bool(flags & PERSIST)
        offered = self.offers_persistent if persistent else self.offers_ephemeral
        if flags & ~(PERSIST | VERSION) or not offered:
            raise OSError(EPERM, "flags not taken")
        number = next(self._ids)
        with self._lock:
            self._pools[client, number] = Pool(f"{self._namespace}:{number}", persistent)
        return number

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool at one instant, then free its pages."""
        with self._lock:
            ended = self._pools.pop((client, pool), None)
        if ended is None:
            raise OSError(ENODEV, "no such pool")
        self.drop_pool(ended)
        return True

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in."""
        found = self._pool(client, pool, oid, index)
        if len(page) != self.page_size:
            raise OSError(EINVAL, "not a page")
        return self.put_page(found, oid, index, bytes(page))

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out."""
        return self.get_page(self._pool(client, pool, oid, index), oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Invalidate one slot."""
        return self.drop_page(self._pool(client, pool, oid, index), oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Invalidate every index of an object."""
        return self.drop_object(self._pool(client, pool, oid), oid)

    def close(self) -> None:
        """End all pools."""
        with self._lock:
            ended, self._pools = list(self._pools.values()), {}
        for pool in ended:
            self.drop_pool(pool)

    def _pool(self, client: int, pool: int, oid: int, index: int = 0) -> Pool:
        if not (0 <= oid < 1 << 192 and 0 <= index < 1 << 32):
            raise OSError(EINVAL, "no such handle")
        with self._lock:
            found = self._pools.get((client, pool))
        if found is None:
            raise OSError(ENODEV, "no such pool")
        return found
