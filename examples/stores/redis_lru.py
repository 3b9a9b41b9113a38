"""Redis with a limit and an LRU policy: ephemeral pools.

A hit must remove the page, so get and delete are one transaction. The server evicts whole hashes, which are
objects.

Run: tmem check py:examples/stores/redis_lru.py:Right
"""

from __future__ import annotations

from typing import cast

import redis

from adapter import Adapter, Pool
from of_the_run import server

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
MEMORY = "4mb"


class Right(Adapter):
    """A hash for an object."""

    offers_persistent = False

    def __init__(self) -> None:
        super().__init__()
        options = [
            "--unixsocket",
            "SOCKET",
            "--port",
            "0",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            "FOLDER",
        ]
        limits = ["--maxmemory", MEMORY, "--maxmemory-policy", "allkeys-lru"]
        self.redis = redis.Redis(unix_socket_path=server("redis-server", *options, *limits))

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """HSET, and HDEL where nothing was left to evict."""
        try:
            self.redis.hset(key(pool, oid), str(index), page)
        except redis.exceptions.OutOfMemoryError:
            self.redis.hdel(key(pool, oid), str(index))
            return False
        return True

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """HGET and HDEL in MULTI and EXEC: no other client comes between."""
        with self.redis.pipeline(transaction=True) as both:
            both.hget(key(pool, oid), str(index))
            both.hdel(key(pool, oid), str(index))
            page: bytes | None = both.execute()[0]
        return page

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """HDEL."""
        return bool(self.redis.hdel(key(pool, oid), str(index)))

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """DEL of the hash, at one instant."""
        return bool(self.redis.delete(key(pool, oid)))

    def drop_pool(self, pool: Pool) -> None:
        """Nothing: the server evicts the pages when others need the room."""

    def close(self) -> None:
        """End the connections."""
        super().close()
        self.redis.close()


class Naive(Right):
    """Get and delete are two commands: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """HGET, then HDEL."""
        page = cast(bytes | None, self.redis.hget(key(pool, oid), str(index)))  # str: for clients that decode
        if page is not None:
            self.redis.hdel(key(pool, oid), str(index))
        return page


def key(pool: Pool, oid: int) -> str:
    """The hash of an object."""
    return f"{pool.name}:{oid:x}"
