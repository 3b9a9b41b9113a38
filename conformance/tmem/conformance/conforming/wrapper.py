"""Wrappers of backends: one that forwards, and one that records what the backend holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

from tmem.spec.abi.errors import EEMPTY, EFROZEN, PUT_FAILED
from tmem.spec.abi.flags import kind_of
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.slot import Kind

Page: TypeAlias = bytes | bytearray | memoryview
At: TypeAlias = tuple[int, int]
"""An object id and an index."""
_MISSED: Final = frozenset({EEMPTY})
_FLUSHED: Final = frozenset({EFROZEN})


class Wrapper:
    """Forwards everything to another backend; subclasses override what they change.

    Further abilities (`reclaim`, `pool_flags`, `claims`) are available if the backend has them.
    """

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.page_size = inner.page_size
        self.calls: defaultdict[str, int] = defaultdict(int)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return self.inner.new_pool(client, flags, uuid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        return self.inner.destroy_pool(client, pool)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return self.inner.put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return self.inner.get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return self.inner.flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return self.inner.flush_object(client, pool, oid)

    def close(self) -> None:
        self.inner.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def every(self, n: int, what: str = "") -> bool:
        """Whether this is an n-th call: for behaviour that shows only now and then."""
        self.calls[what] += 1
        return self.calls[what] % n == 0


@dataclass(slots=True, eq=False)
class Known:
    """A live pool, as its users should see it. `by` holds the client that put each page."""

    kind: Kind
    uuid: int | None
    maker: int
    users: int = 1
    pages: dict[At, bytes] = field(default_factory=dict)
    by: dict[At, int] = field(default_factory=dict)
    replaced: dict[At, bytes] = field(default_factory=dict)

    def forget(self, oid: int, index: int | None = None) -> None:
        """Record that the slot, or without an index the object, holds nothing."""
        for at in [(oid, each) for each in (self.indexes(oid) if index is None else [index])]:
            self.pages.pop(at, None)
            self.replaced.pop(at, None)

    def indexes(self, oid: int) -> list[int]:
        """Return the indexes of an object that hold pages, in ascending order."""
        return sorted(index for other, index in self.pages if other == oid)


class Shadow(Wrapper):
    """Records what each pool should hold; ephemeral pages may be gone."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.pools: dict[tuple[int, int], Known] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = self.inner.new_pool(client, flags, uuid)
        self.learn(client, pool, self.granted(client, pool, flags, uuid), uuid)
        return pool

    def granted(self, client: int, pool: int, flags: int, uuid: int | None) -> Kind:
        """Return the kind of pool that was granted."""
        if hasattr(self.inner, "pool_flags"):  # many times faster than isinstance of a protocol
            flags = cast(TellsFlags, self.inner).pool_flags(client, pool)
        return kind_of(flags, uuid)

    def learn(self, client: int, pool: int, kind: Kind, uuid: int | None) -> None:
        """Record that the client has made the pool, or joined the pool of the UUID."""
        joined = next(
            (k for k in self.pools.values() if kind.shared and k.kind.shared and k.uuid == uuid), None
        )
        if joined is None:
            self.pools[client, pool] = Known(kind, uuid, client)
        else:
            joined.users += 1
            self.pools[client, pool] = joined

    def destroy_pool(self, client: int, pool: int) -> bool:
        answer = self.inner.destroy_pool(client, pool)
        if known := self.pools.pop((client, pool), None):
            known.users -= 1
        return answer

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        copy = bytes(page)
        try:
            stored = self.inner.put(client, pool, oid, index, page)
        except OSError as error:
            self.failed(error, PUT_FAILED, client, pool, oid, index)
            raise
        if known := self.pools.get((client, pool)):
            old = known.pages.get((oid, index))
            known.forget(oid, index)
            if stored:
                known.pages[oid, index], known.by[oid, index] = copy, client
                if old is not None:
                    known.replaced[oid, index] = old
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        try:
            page = self.inner.get(client, pool, oid, index)
        except OSError as error:
            self.failed(error, _MISSED, client, pool, oid, index)
            raise
        known = self.pools.get((client, pool))
        if known and (page is None or known.kind.exclusive):
            known.forget(oid, index)
        return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        try:
            answer = self.inner.flush_page(client, pool, oid, index)
        except OSError as error:
            self.failed(error, _FLUSHED, client, pool, oid, index)
            raise
        if known := self.pools.get((client, pool)):
            known.forget(oid, index)
        return answer

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        try:
            answer = self.inner.flush_object(client, pool, oid)
        except OSError as error:
            self.failed(error, _FLUSHED, client, pool, oid)
            raise
        if known := self.pools.get((client, pool)):
            known.forget(oid)
        return answer

    def failed(
        self, error: OSError, errnos: Set[int], client: int, pool: int, oid: int, index: int | None = None
    ) -> None:
        """Forget the slot, or without an index the object, if the error is one that says it is empty."""
        if error.errno in errnos and (known := self.pools.get((client, pool))):
            known.forget(oid, index)

    def known(self, client: int, pool: int) -> Known | None:
        """Return the pool of this id, if there is one."""
        return self.pools.get((client, pool))

    def kind(self, client: int, pool: int) -> Kind | None:
        """Return the kind of the pool of this id, if there is one."""
        known = self.pools.get((client, pool))
        return known.kind if known else None

    def held(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Return the page that the slot should hold, if any."""
        known = self.pools.get((client, pool))
        return known.pages.get((oid, index)) if known else None

    def put_back(self, client: int, pool: int, oid: int, index: int, page: bytes) -> None:
        """Put a page without a record, where a fault leaves a wrong one."""
        with suppress(OSError):
            self.inner.put(client, pool, oid, index, page)

    def take(self, client: int, pool: int, oid: int, index: int) -> None:
        """Flush a page without a record, where a fault loses one that should stay."""
        with suppress(OSError):
            self.inner.flush_page(client, pool, oid, index)

    def drop(self, client: int, pool: int, oid: int, index: int) -> None:
        """Flush a page that may vanish, and record that it is gone."""
        self.take(client, pool, oid, index)
        if known := self.pools.get((client, pool)):
            known.forget(oid, index)

    def persistent(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield every slot with a persistent page, with a client and id of its pool; oldest pools first."""
        for (client, pool), known in self.pools.items():
            if known.kind.persistent:
                for oid, index in known.pages:
                    yield client, pool, oid, index

    def ephemeral(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield every slot that may hold an ephemeral page, with a client and id of its pool."""
        for (client, pool), known in self.pools.items():
            if not known.kind.persistent:
                for oid, index in known.pages:
                    yield client, pool, oid, index


class Reclaiming(Shadow):
    """A shadow of a backend that can reclaim."""

    def reclaim(self, pages: int) -> int:
        return cast(Reclaims, self.inner).reclaim(pages)
