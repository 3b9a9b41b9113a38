"""The entry points by which the conformance suite finds this implementation, a target for each variant."""

from __future__ import annotations

from typing import Any

from tmem.impl.codec.held import HeldLz4
from tmem.impl.store import Store


def factory(budget: int | None = None) -> Store:
    """A fresh store with this budget in bytes."""
    return Store(budget)


def held(budget: int | None = None) -> Store:
    """One whose codec keeps the interpreter."""
    return Store(budget, codec=HeldLz4)


def native(budget: int | None = None) -> Store:
    """One whose codec is compiled; ImportError where it is not."""
    from tmem.impl.codec.native import NativeLz4

    return Store(budget, codec=NativeLz4)


def compiled(budget: int | None = None) -> Store:
    """One that is compiled, and its codec with it; ImportError where they are not."""
    from tmem.impl.codec.native import NativeLz4
    from tmem.impl.compiled import Store as Compiled

    return Compiled(budget, codec=NativeLz4)


def in_advance(budget: int | None = None) -> Store:
    """One whose persistent pools take room for some pages in advance, however small the budget is."""
    store = Store(budget)
    store._room.advance = 3_000
    return store


def by_many(budget: int | None = None) -> ByMany:
    """One whose pages come and go by put_many and get_many."""
    return ByMany(Store(budget))


class ByMany:
    """A store, each put and get of which is one of many pages that are one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """As of the store."""
        (stored,) = self._store.put_many(client, pool, [(oid, index)], [page])
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """As of the store."""
        (page,) = self._store.get_many(client, pool, [(oid, index)])
        return page

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
