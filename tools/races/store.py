"""A small store with the parts that races need: reused pool ids, objects that come and go, recycled frames,
and a reclaim order. It is correct; `__init__` defines the changes that break it.

Locks are taken in this order: the lock of the store, of a pool, of the reclaim order.
"""

from __future__ import annotations

import threading
from errno import EPERM


class Frame:
    """Memory for one page; `where` is the slot of the page, or None if the frame is free."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self.where: tuple[Pool, int, int] | None = None

    def fill(self, page: bytes | bytearray | memoryview) -> None:
        half = len(self.data) // 2
        self.data[:half] = page[:half]
        self.data[half:] = page[half:]

    def read(self) -> bytes:
        half = len(self.data) // 2
        first = bytes(self.data[:half])
        return first + bytes(self.data[half:])


class Pool:
    """Objects by id, each with frames by index."""

    def __init__(self, persistent: bool) -> None:
        self.lock = threading.Lock()
        self.persistent = persistent
        self.objects: dict[int, dict[int, Frame]] = {}
        self.alive = True


class Order:
    """Frames of ephemeral pages, oldest first, and free frames."""

    def __init__(self, size: int) -> None:
        self.lock = threading.Lock()
        self.size = size
        self.used: list[Frame] = []
        self.free: list[Frame] = []

    def take(self) -> Frame:
        with self.lock:
            return self.free.pop() if self.free else Frame(self.size)

    def append(self, frame: Frame) -> None:
        with self.lock:
            self.used.append(frame)

    def give(self, frame: Frame) -> None:
        frame.where = None
        with self.lock:
            if frame in self.used:
                self.used.remove(frame)
            self.free.append(frame)

    def oldest(self) -> Frame | None:
        with self.lock:
            return self.used[0] if self.used else None


class Store:
    page_size = 64

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pools: dict[tuple[int, int], Pool] = {}
        self.order = Order(self.page_size)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if flags & 2:
            raise OSError(EPERM, "pools are private")
        with self.lock:
            number = 0
            while (client, number) in self.pools:
                number += 1
            self.pools[client, number] = Pool(bool(flags & 1))
            return number

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            found = self.pools.pop((client, pool), None)
            if found is None:
                return False
            with found.lock:
                found.alive = False
                self.empty(found)
        return True

    def empty(self, found: Pool) -> None:
        for frames in found.objects.values():
            for frame in frames.values():
                self.order.give(frame)
        found.objects.clear()

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        found = self.pools.get((client, pool))
        if found is None:
            return False
        with found.lock:
            if not found.alive:
                return False
            frames = found.objects.setdefault(oid, {})
            old = frames.pop(index, None)
            if old is not None:
                self.order.give(old)
            frame = self.order.take()
            frame.fill(page)
            frame.where = (found, oid, index)
            frames[index] = frame
            if not found.persistent:
                self.order.append(frame)
            return True

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        found = self.pools.get((client, pool))
        if found is None:
            return None
        with found.lock:
            frame = found.objects.get(oid, {}).get(index)
            if frame is None:
                return None
            page = frame.read()
            if not found.persistent:
                self.remove(found, oid, index)
            return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = self.pools.get((client, pool))
        if found is None:
            return False
        with found.lock:
            return self.remove(found, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = self.pools.get((client, pool))
        if found is None:
            return False
        with found.lock:
            frames = found.objects.pop(oid, {})
            for frame in frames.values():
                self.order.give(frame)
            return bool(frames)

    def remove(self, found: Pool, oid: int, index: int) -> bool:
        frames = found.objects.get(oid, {})
        frame = frames.pop(index, None)
        if frame is None:
            return False
        if not frames:
            del found.objects[oid]
        self.order.give(frame)
        return True

    def reclaim(self, pages: int) -> int:
        gone = 0
        for _ in range(pages):
            frame = self.order.oldest()
            where = frame.where if frame is not None else None
            if frame is None or where is None:
                continue
            found, oid, index = where
            with found.lock:
                if frame.where == where and not found.persistent:
                    gone += self.remove(found, oid, index)
        return gone

    def close(self) -> None:
        pass


def factory() -> Store:
    return Store()
