"""A backend that behaves as badly as the contract allows, or as well: it leaves each choice to a strategy.

A host that works against it in every strategy works on any backend that conforms. It keeps every clause
of `tmem.spec.clauses`, holds plain pages in plain dictionaries, and serves several threads by one lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from threading import Lock
from typing import Final

from tmem.model.choices import STRATEGIES, Choice, Choose, keep
from tmem.spec.abi import errors
from tmem.spec.abi.flags import compose, kind_of, objection
from tmem.spec.handle import CLIENT_BITS, INDEX_BITS, OBJECT_BITS
from tmem.spec.slot import Kind

LARGEST_POOL_ID: Final = 2**31 - 1


@dataclass(slots=True)
class _Pool:
    """A pool that has users. `objects` holds pages by object id and index, and no object without pages."""

    kind: Kind
    uuid: int | None = None
    users: int = 0
    objects: dict[int, dict[int, bytes]] = field(default_factory=dict)


class Adversary:
    """A correct backend whose every `Choice` is made by a strategy: by name, or a `choose` of your own.

    `page_size` is in bytes; `seed` is for the strategy `random`. Errors are OSError: EINVAL for arguments out
    of range, EPERM for flags, ENODEV for an unknown pool, and others that the strategy chooses.
    """

    def __init__(self, strategy: str | Choose = "random", *, page_size: int = 4096, seed: int = 0) -> None:
        self.page_size = page_size
        self._choose = _resolve(strategy, seed)
        self._kind_always = self._choose is keep
        self._lock = Lock()
        self._pools: dict[int, dict[int, _Pool]] = {}
        self._shared: dict[int, _Pool] = {}
        self._fresh = count()

    # Pools

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool, or join the shared pool of the UUID."""
        if client >> CLIENT_BITS or (uuid is not None and uuid >> 128):
            raise _error("EINVAL", "a client has 16 bits and a UUID 128")
        if (why := objection(flags, self.page_size)) is not None:
            raise _error("EPERM", why)
        with self._lock:
            self._obey(self._ask(Choice.NEW_POOL), "no room for a pool")
            pool = self._granted(kind_of(flags, uuid), uuid)
            pool.users += 1
            mine = self._pools.setdefault(client, {})
            number = self._number(mine)
            mine[number] = pool
            return number

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client; when its last user leaves, its pages are gone."""
        with self._lock:
            left = self._pools.get(client, {}).pop(pool, None)
            if left is None:
                self._dead()
                return False
            left.users -= 1
            if not left.users and left.uuid is not None:
                del self._shared[left.uuid]
            return True

    def pool_flags(self, client: int, pool: int) -> int:
        """Return the flags of the pool, whose kind may differ from the one that was requested."""
        with self._lock:
            found = self._pools.get(client, {}).get(pool)
            if found is None:
                raise _error("ENODEV", "no such pool")
            return compose(
                persistent=found.kind.persistent, shared=found.kind.shared, page_size=self.page_size
            )

    # Pages

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in, or fail and leave nothing."""
        if type(page) is not bytes:
            page = memoryview(page).tobytes()
        if oid >> OBJECT_BITS or index >> INDEX_BITS or len(page) != self.page_size:
            raise _error("EINVAL", f"a page has {self.page_size} bytes, an object id 192 bits, an index 32")
        with self._lock:
            found = self._find(client, pool)
            if found is None:
                return False
            indexes = found.objects.get(oid)
            if not self._kind_always:
                duplicate = indexes is not None and index in indexes
                stored = self._ask(Choice.DUPLICATE if duplicate else Choice.PUT)
                if stored != "store":
                    _take(found, oid, index)
                    self._obey(stored, "no room for a page")
                    return False
            if indexes is None:
                indexes = found.objects[oid] = {}
            indexes[index] = page
            return True

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; a hit in a private ephemeral pool removes it."""
        if oid >> OBJECT_BITS or index >> INDEX_BITS:
            raise _error("EINVAL", "an object id has 192 bits, an index 32")
        with self._lock:
            found = self._find(client, pool)
            if found is None:
                return None
            if not self._kind_always:
                self._before_get(found, oid, index)
            indexes = found.objects.get(oid)
            page = None if indexes is None else indexes.get(index)
            if page is None:
                self._obey(self._ask(Choice.MISS), "the slot is empty")
                return None
            if found.kind.exclusive:
                _take(found, oid, index)
            return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Invalidate one slot."""
        if oid >> OBJECT_BITS or index >> INDEX_BITS:
            raise _error("EINVAL", "an object id has 192 bits, an index 32")
        with self._lock:
            found = self._find(client, pool)
            if found is None:
                return False
            return self._flushed(found, oid, _take(found, oid, index) is not None)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Invalidate every index of an object."""
        if oid >> OBJECT_BITS:
            raise _error("EINVAL", "an object id has 192 bits")
        with self._lock:
            found = self._find(client, pool)
            if found is None:
                return False
            return self._flushed(found, oid, found.objects.pop(oid, None) is not None)

    def reclaim(self, pages: int) -> int:
        """Remove up to `pages` ephemeral pages. Returns how many it removed."""
        if pages < 0:
            raise _error("EINVAL", "a number of pages is not negative")
        with self._lock:
            wanted = {"asked": pages, "one": min(pages, 1), "none": 0}[self._ask(Choice.RECLAIM)]
            if self._ask(Choice.VICTIM) == "oldest":
                victims = list(islice(self._ephemeral(), wanted))
            else:
                victims = list(self._ephemeral())[::-1][:wanted]
            for pool, oid, index in victims:
                _take(pool, oid, index)
            return len(victims)

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            self._pools.clear()
            self._shared.clear()

    # Choices

    def _ask(self, choice: Choice) -> str:
        option = self._choose(choice, choice.options)
        if option not in choice.options:
            raise ValueError(f"{choice.name} has the options {choice.options}, not {option!r}")
        return option

    @staticmethod
    def _obey(option: str, why: str) -> None:
        if option.isupper():
            raise _error(option, why)

    def _granted(self, kind: Kind, uuid: int | None) -> _Pool:
        if not kind.shared or uuid is None:
            return _Pool(kind)
        shared = self._ask(Choice.SHARE)
        self._obey(shared, "not authorised to share")
        if shared == "private":
            return _Pool(Kind(persistent=kind.persistent))
        pool = self._shared.get(uuid)
        if pool is None:
            pool = self._shared[uuid] = _Pool(kind, uuid)
        elif pool.kind != kind:
            self._obey(self._ask(Choice.KIND), "the pool of this UUID is of another kind")
        return pool

    def _number(self, taken: dict[int, _Pool]) -> int:
        which = self._ask(Choice.POOL_ID)
        if which == "smallest":
            numbers = count()
        elif which == "fresh":
            numbers = self._fresh
        else:
            numbers = count(LARGEST_POOL_ID, -1)
        return next(number for number in numbers if number not in taken)

    def _find(self, client: int, pool: int) -> _Pool | None:
        try:
            return self._pools[client][pool]
        except KeyError:
            self._dead()
            return None

    def _dead(self) -> None:
        self._obey(self._ask(Choice.DEAD), "no such pool")

    def _before_get(self, pool: _Pool, oid: int, index: int) -> None:
        # A host cannot tell whether a page vanished long ago or when it is looked for.
        held = index in pool.objects.get(oid, ())
        if held and pool.kind.persistent:
            return
        self._obey(self._ask(Choice.GET), "the get failed")
        if held and self._ask(Choice.VANISH) == "vanish":
            _take(pool, oid, index)

    def _flushed(self, pool: _Pool, oid: int, found: bool) -> bool:
        if self._kind_always:
            return found
        along = "none" if pool.kind.persistent else self._ask(Choice.NEIGHBOURS)
        if along == "object":
            pool.objects.pop(oid, None)
        elif along == "pool":
            pool.objects.clear()
        answer = self._ask(Choice.FOUND)
        self._obey(answer, "the client is frozen; what it flushed is gone all the same")
        return found if answer == "truth" else not found

    def _ephemeral(self) -> Iterator[tuple[_Pool, int, int]]:
        pools = {id(pool): pool for mine in self._pools.values() for pool in mine.values()}
        for pool in pools.values():
            if not pool.kind.persistent:
                for oid, indexes in pool.objects.items():
                    for index in indexes:
                        yield pool, oid, index


def backend(strategy: str, seed: int = 0) -> Adversary:
    """Return the adversary with the strategy of this name. Raises ValueError, with the names, for another."""
    return Adversary(strategy, seed=seed)


def _resolve(strategy: str | Choose, seed: int) -> Choose:
    if not isinstance(strategy, str):
        return strategy
    if strategy not in STRATEGIES:
        raise ValueError(f"no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    return STRATEGIES[strategy](seed)


def _take(pool: _Pool, oid: int, index: int) -> bytes | None:
    indexes = pool.objects.get(oid)
    if indexes is None:
        return None
    page = indexes.pop(index, None)
    if not indexes:
        del pool.objects[oid]
    return page


def _error(name: str, why: str) -> OSError:
    return OSError(getattr(errors, name), why)
