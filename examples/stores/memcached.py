"""memcached: ephemeral pools.

It has no key of two parts, so an object has a *generation*, a random word under a key of its own. The keys
of its pages contain it, and flush object gives it another. A generation that is evicted comes back as
another word, so no page of before is seen again. A hit removes its page by cas, which only one of two gets
at once wins.

Run: tmem check py:examples/stores/memcached.py:Right
"""

from __future__ import annotations

import os
import secrets

from pymemcache.client.base import PooledClient
from pymemcache.exceptions import MemcacheServerError

from adapter import Adapter, Pool
from of_the_run import server

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
AT_ONCE = -1
"""A time to live that is over when it begins."""


class Right(Adapter):
    """Generations and cas."""

    offers_persistent = False

    def __init__(self) -> None:
        super().__init__()
        user = ["-u", "root"] if os.getuid() == 0 else []
        self.cache = PooledClient(server("memcached", "-s", "SOCKET", "-m", "8", *user), no_delay=False)

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Set, and delete where there was no room: the old page stays otherwise."""
        key = self.key(pool, oid, index, make=True)
        if key is None:
            return False
        try:
            if self.cache.set(key, page, noreply=False):
                return True
        except MemcacheServerError:  # out of memory storing object
            pass
        self.cache.delete(key, noreply=False)
        return False

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Get with its cas unique, then write over it what expires at once; again if the page is another."""
        key = self.key(pool, oid, index)
        while key is not None:
            page, unique = self.cache.gets(key)
            if page is None:
                return None
            try:
                won = self.cache.cas(key, b"", unique, expire=AT_ONCE, noreply=False)
            except MemcacheServerError:
                continue
            if won:
                return bytes(page)
        return None

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Delete."""
        key = self.key(pool, oid, index)
        return key is not None and bool(self.cache.delete(key, noreply=False))

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Forget the generation; the next put draws another. Pages of the old one are evicted in time."""
        return bool(self.cache.delete(self.generation(pool, oid), noreply=False))

    def drop_pool(self, pool: Pool) -> None:
        """Nothing: the server evicts the pages in time."""

    def close(self) -> None:
        """End the connections."""
        super().close()
        self.cache.close()

    def key(self, pool: Pool, oid: int, index: int, make: bool = False) -> str | None:
        """The key of a slot; None where its object has no generation."""
        name = self.generation(pool, oid)
        word = self.cache.get(name)
        for _ in range(8 if make else 0):
            if word is not None:
                break
            try:
                self.cache.add(name, secrets.token_hex(8).encode(), noreply=False)
            except MemcacheServerError:
                return None
            word = self.cache.get(name)
        return None if word is None else f"{pool.name}:{word.decode()}:{index:x}"

    def generation(self, pool: Pool, oid: int) -> str:
        """The key under which the generation of an object is."""
        return f"{pool.name}:{oid:x}"


class Naive(Right):
    """Get and delete are two commands: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Get, then delete."""
        key = self.key(pool, oid, index)
        page = None if key is None else self.cache.get(key)
        if page is not None:
            self.cache.delete(key, noreply=False)
        return page
