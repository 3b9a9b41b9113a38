"""Subjects: stores of any kind, behind the few loops that the bench times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

PUT, GET, MISS, FLUSH = "put", "get hit", "get miss", "flush page"
EVERY = frozenset({PUT, GET, MISS, FLUSH})
PER_OBJECT = 64

Handle = tuple[int, int]
"""Object id and index."""


class Missing(Exception):  # noqa: N818  (the tables show it, so it is no error)
    """A subject that this machine cannot run; the message says why, and what to install."""


class Subject(Protocol):
    """A store with a loop for each operation, so that calls through an adapter are not timed.

    Each loop returns how many of its operations found or stored a page.
    """

    offers: frozenset[str]

    def keys(self, handles: Sequence[Handle]) -> list[Any]:
        """Return the handles in the form that users of this store would keep."""

    def hold(self, keys: Sequence[Any], pages: Sequence[bytes]) -> list[Any]:
        """Store the pages, untimed. Returns the keys under which the other loops find them."""

    def put(self, keys: Sequence[Any], pages: Sequence[bytes]) -> int: ...

    def get(self, keys: Sequence[Any]) -> int: ...

    def take(self, keys: Sequence[Any]) -> int:
        """Get each page and remove it, as a hit in a private ephemeral pool does."""

    def flush(self, keys: Sequence[Any]) -> int: ...

    def read(self, key: Any) -> bytes | None:
        """Return one page, to check that it is the right one."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Contender:
    """A store that the bench measures: `swap` keeps a page that is read, `cache` may remove it.

    Peers have one subject for both, without reclaim and without objects.
    """

    name: str
    swap: Subject
    cache: Subject
    store: Any = None
    reclaim: Callable[[int], int] | None = None
    flush_objects: Callable[[Sequence[Handle]], int] | None = None

    def close(self) -> None:
        """Close the store, with its server or device if it has one."""
        self.swap.close()


class Keyed:
    """The loops for a store whose operations take one key each, as those of the peers do."""

    offers = EVERY

    def keys(self, handles: Sequence[Handle]) -> list[Any]:
        return [oid << 32 | index for oid, index in handles]

    def store(self, key: Any, page: bytes) -> object:
        raise NotImplementedError

    def read(self, key: Any) -> bytes | None:
        raise NotImplementedError

    def drop(self, key: Any) -> object:
        raise NotImplementedError

    def hold(self, keys: Sequence[Any], pages: Sequence[bytes]) -> list[Any]:
        self.put(keys, pages)
        return list(keys)

    def put(self, keys: Sequence[Any], pages: Sequence[bytes]) -> int:
        store = self.store
        for key, page in zip(keys, pages, strict=True):
            store(key, page)
        return len(keys)

    def get(self, keys: Sequence[Any]) -> int:
        read, hits = self.read, 0
        for key in keys:
            hits += read(key) is not None
        return hits

    def take(self, keys: Sequence[Any]) -> int:
        read, drop, hits = self.read, self.drop, 0
        for key in keys:
            hits += read(key) is not None
            drop(key)
        return hits

    def flush(self, keys: Sequence[Any]) -> int:
        drop = self.drop
        for key in keys:
            drop(key)
        return len(keys)

    def close(self) -> None:
        """Do nothing: no server or device has to be closed."""


def handles(count: int, first: int = 0) -> list[Handle]:
    """Return `count` handles from number `first` on, in objects of 64 pages."""
    return [divmod(number, PER_OBJECT) for number in range(first, first + count)]


def prove(contender: Contender, pages: Sequence[bytes]) -> None:
    """Check before anything is timed that each page is returned as it was put. Raises RuntimeError if not."""
    for subject in {id(pool): pool for pool in (contender.swap, contender.cache)}.values():
        keys = subject.keys(handles(len(pages), first=1 << 20))
        held = subject.hold(keys, pages)
        if [subject.read(key) for key in held] != list(pages):
            raise RuntimeError(f"{contender.name} does not give back the pages that were put")
        subject.flush(keys)
        if MISS in subject.offers and subject.get(keys):
            raise RuntimeError(f"{contender.name} still holds a page that was flushed")
