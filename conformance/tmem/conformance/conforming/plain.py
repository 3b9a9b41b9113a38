"""A store in dicts, under one lock: it conforms, keeps everything, and is fast.

Faults of large programs wrap it, and the speed of engines is measured on it.
"""

from __future__ import annotations

import errno
from threading import Lock

from tmem.conformance.conforming.wrapper import At, Page
from tmem.spec.abi.flags import kind_of, objection
from tmem.spec.handle import in_range
from tmem.spec.slot import Kind


class PlainPool:
    """A pool: pages by ⟨object id, index⟩, and the indexes of each object."""

    def __init__(self, kind: Kind, uuid: int | None) -> None:
        self.kind, self.uuid, self.users = kind, uuid, 0
        self.pages: dict[At, bytes] = {}
        self.objects: dict[int, set[int]] = {}


class Plain:
    """The store. `most` is the number of pages it has room for; None: as many as come."""

    page_size = 4096

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.held = 0
        self.pools: dict[tuple[int, int], PlainPool] = {}
        self.shared: dict[int, PlainPool] = {}
        self.lock = Lock()
        self.free: dict[int, list[int]] = {}
        self.made: dict[int, int] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size):
            raise OSError(errno.EPERM, "flags not taken")
        kind = kind_of(flags, uuid)
        with self.lock:
            found = self.shared.get(uuid) if kind.shared and uuid is not None else None
            if found is not None and found.kind != kind:
                raise OSError(errno.EPERM, "a pool of another kind has this UUID")
            if found is None:
                found = PlainPool(kind, uuid)
                if kind.shared and uuid is not None:
                    self.shared[uuid] = found
            found.users += 1
            free = self.free.setdefault(client, [])
            number = free.pop() if free else self.made.get(client, 0)
            self.made[client] = max(self.made.get(client, 0), number + 1)
            self.pools[client, number] = found
            return number

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            found = self.pools.pop((client, pool), None)
            if found is None:
                return False
            self.free[client].append(pool)
            found.users -= 1
            if not found.users:
                self.held -= len(found.pages)
                if found.kind.shared and found.uuid is not None:
                    del self.shared[found.uuid]
            return True

    def find(self, client: int, pool: int, oid: int, index: int = 0) -> PlainPool:
        """The pool; EINVAL for a handle out of range, ENODEV where there is no pool."""
        if not in_range(oid, index):
            raise OSError(errno.EINVAL, "handle out of range")
        found = self.pools.get((client, pool))
        if found is None:
            raise OSError(errno.ENODEV, "no such pool")
        return found

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with self.lock:
            found = self.find(client, pool, oid, index)
            if len(page) != self.page_size:
                raise OSError(errno.EINVAL, "not a page")
            self.drop(found, oid, index)
            if self.most is not None and self.held >= self.most:
                return False
            found.pages[oid, index] = bytes(page)
            found.objects.setdefault(oid, set()).add(index)
            self.held += 1
            return True

    def drop(self, pool: PlainPool, oid: int, index: int) -> bool:
        """Let a page go; whether there was one."""
        if pool.pages.pop((oid, index), None) is None:
            return False
        pool.objects[oid].discard(index)
        if not pool.objects[oid]:
            del pool.objects[oid]
        self.held -= 1
        return True

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.lock:
            found = self.find(client, pool, oid, index)
            page = found.pages.get((oid, index))
            if page is not None and found.kind.exclusive:
                self.drop(found, oid, index)
            return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            return self.drop(self.find(client, pool, oid, index), oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        with self.lock:
            found = self.find(client, pool, oid)
            indexes = [*found.objects.get(oid, ())]
            for index in indexes:
                self.drop(found, oid, index)
            return bool(indexes)

    def close(self) -> None:
        with self.lock:
            self.pools.clear()
            self.shared.clear()
