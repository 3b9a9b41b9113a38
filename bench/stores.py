"""A store of ours as a subject: one pool of it, and both pools as a contender."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.subjects import EVERY, Contender, Handle, Missing
from tmem.spec.abi.flags import PERSIST

CLIENT = 1


class PoolSubject:
    """The loops over one pool."""

    offers = EVERY

    def __init__(self, store: Any, flags: int = 0) -> None:
        self.store = store
        self.pool = store.new_pool(CLIENT, flags)

    def keys(self, handles: Sequence[Handle]) -> list[Handle]:
        return list(handles)

    def hold(self, keys: Sequence[Handle], pages: Sequence[bytes]) -> list[Handle]:
        self.put(keys, pages)
        return list(keys)

    def put(self, keys: Sequence[Handle], pages: Sequence[bytes]) -> int:
        put, pool, stored = self.store.put, self.pool, 0
        for (oid, index), page in zip(keys, pages, strict=True):
            stored += put(CLIENT, pool, oid, index, page)
        return stored

    def get(self, keys: Sequence[Handle]) -> int:
        get, pool, hits = self.store.get, self.pool, 0
        for oid, index in keys:
            hits += get(CLIENT, pool, oid, index) is not None
        return hits

    take = get

    def flush(self, keys: Sequence[Handle]) -> int:
        flush_page, pool, found = self.store.flush_page, self.pool, 0
        for oid, index in keys:
            found += flush_page(CLIENT, pool, oid, index)
        return found

    def read(self, key: Handle) -> bytes | None:
        page: bytes | None = self.store.get(CLIENT, self.pool, *key)
        return page

    def flush_objects(self, keys: Sequence[Handle]) -> int:
        """Flush each object that the handles lie in, once."""
        flush_object, pool = self.store.flush_object, self.pool
        return sum(flush_object(CLIENT, pool, oid) for oid in dict.fromkeys(oid for oid, _ in keys))

    def close(self) -> None:
        self.store.close()


def contender(name: str, make: Callable[..., Any]) -> Contender:
    """A fresh store without a limit, with a persistent pool and an ephemeral one."""
    store = make()
    cache = PoolSubject(store)
    return Contender(name, PoolSubject(store, PERSIST), cache, store, store.reclaim, cache.flush_objects)


class Batched:
    """A persistent pool of a store, by its calls for many pages at once. Missing where it has none."""

    def __init__(self, make: Callable[..., Any], size: int) -> None:
        self.store = make()
        self.size = size
        if not (hasattr(self.store, "put_many") and hasattr(self.store, "get_many")):
            self.store.close()
            raise Missing("the store has no put_many and get_many")
        self.pool = self.store.new_pool(CLIENT, PERSIST)

    def put(self, keys: Sequence[Handle], pages: Sequence[bytes]) -> int:
        put_many, pool, size = self.store.put_many, self.pool, self.size
        for at in range(0, len(keys), size):
            put_many(CLIENT, pool, keys[at : at + size], pages[at : at + size])
        return len(keys)

    def get(self, keys: Sequence[Handle]) -> int:
        get_many, pool, size = self.store.get_many, self.pool, self.size
        for at in range(0, len(keys), size):
            get_many(CLIENT, pool, keys[at : at + size])
        return len(keys)

    def flush(self, keys: Sequence[Handle]) -> None:
        for oid, index in keys:
            self.store.flush_page(CLIENT, self.pool, oid, index)

    def close(self) -> None:
        self.store.close()
