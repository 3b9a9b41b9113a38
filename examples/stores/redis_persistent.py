"""Redis with noeviction: persistent pools.

An object is a hash, so each operation is one command, and flush object is DEL. The server refuses a write
when its memory is used up, and the page that was there before stays: a put that failed removes it.

Run: tmem check py:examples/stores/redis_persistent.py:Right
"""

from __future__ import annotations

from typing import cast

import redis

from adapter import Adapter, Pool
from of_the_run import server

BREAKS = "TMEM-PUT-1"
"""What Naive breaks."""
MEMORY = "4mb"


def client() -> redis.Redis:
    """Connections to the run's server, one for each thread that calls at the same time."""
    options = ["--unixsocket", "SOCKET", "--port", "0", "--save", "", "--appendonly", "no", "--dir", "FOLDER"]
    limits = ["--maxmemory", MEMORY, "--maxmemory-policy", "noeviction"]
    return redis.Redis(unix_socket_path=server("redis-server", *options, *limits))


class Right(Adapter):
    """A put that failed leaves nothing."""

    offers_ephemeral = False

    def __init__(self) -> None:
        super().__init__()
        self.redis = client()

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """HSET, and HDEL where it is refused: a refused write is no write, and HDEL is never refused."""
        try:
            self.redis.hset(key(pool, oid), str(index), page)
        except redis.exceptions.OutOfMemoryError:
            self.redis.hdel(key(pool, oid), str(index))
            return False
        return True

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """HGET."""
        return cast(bytes | None, self.redis.hget(key(pool, oid), str(index)))  # str: for clients that decode

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """HDEL."""
        return bool(self.redis.hdel(key(pool, oid), str(index)))

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """DEL of the hash, at one instant."""
        return bool(self.redis.delete(key(pool, oid)))

    def drop_pool(self, pool: Pool) -> None:
        """DEL of all hashes of the pool: nobody reaches them, so this may take its time."""
        for each in self.redis.scan_iter(f"{pool.name}:*", count=1000):
            self.redis.unlink(each)

    def close(self) -> None:
        """End the pools, then the connections."""
        super().close()
        self.redis.close()


class Naive(Right):
    """Answers False where the server refuses, and leaves the old page."""

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """HSET alone."""
        try:
            self.redis.hset(key(pool, oid), str(index), page)
        except redis.exceptions.OutOfMemoryError:
            return False
        return True


def key(pool: Pool, oid: int) -> str:
    """The hash of an object."""
    return f"{pool.name}:{oid:x}"
