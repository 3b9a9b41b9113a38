"""The entry points by which the conformance suite finds this implementation: one target for each variant."""

from __future__ import annotations

from typing import Any

from tmem.impl.codec.held import HeldLz4
from tmem.impl.store import Store


def factory(budget: int | None = None) -> Store:
    """Make a store with this budget in bytes."""
    return Store(budget)


def held(budget: int | None = None) -> Store:
    """Make a store whose codec keeps the interpreter."""
    return Store(budget, codec=HeldLz4)


def native(budget: int | None = None) -> Store:
    """Make a store with the compiled codec; ImportError if that is not compiled."""
    from tmem.impl.codec.native import NativeLz4

    return Store(budget, codec=NativeLz4)


def compiled(budget: int | None = None) -> Store:
    """Make a compiled store with the compiled codec; ImportError if one is not compiled."""
    from tmem.impl.codec.native import NativeLz4
    from tmem.impl.compiled import Store as Compiled

    return Compiled(budget, codec=NativeLz4)


def in_advance(budget: int | None = None) -> Store:
    """Make a store whose persistent pools take room for some pages in advance, whatever the budget is."""
    return Store(budget, advance=3_000)


def by_many(budget: int | None = None) -> ByMany:
    """Make a store whose pages come and go by put_many and get_many."""
    return ByMany(Store(budget))


class ByMany:
    """A store that does each put and get as a put_many or get_many of one page."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Put the page as one of many."""
        (stored,) = self._store.put_many(client, pool, [(oid, index)], [page])
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Get the page as one of many."""
        (page,) = self._store.get_many(client, pool, [(oid, index)])
        return page

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
