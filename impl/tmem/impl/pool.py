"""Pools and their objects: what the lock of a pool guards, and the steps that are taken under it."""

from __future__ import annotations

import threading

from tmem.impl.counters import Tally
from tmem.impl.hosts import Host
from tmem.impl.pam import Pam, Pampd
from tmem.impl.room import AGE, ENTRY, OBJECT, Room
from tmem.impl.waiting import take
from tmem.spec import Kind


class Object:
    """The pages of one object, by index. `gone`, `late`, `stale` and `sweep` belong to the reclaim order."""

    __slots__ = ("gone", "late", "oid", "pages", "pool", "stale", "sweep")

    def __init__(self, pool: Pool, oid: int) -> None:
        self.pool = pool
        self.oid = oid
        self.pages: dict[int, Pampd] = {}
        self.stale: dict[int, int] | None = None
        """By index, how many of the next entries in the reclaim order are stale."""
        self.late: dict[int, int] | None = None
        """By index, how many of those after them became stale while sweep number `sweep` went on."""
        self.sweep = 0
        self.gone = False


class Pool:
    """One pool, private or shared. The caller of a step holds `lock`, and the step takes the room's.

    An object is in `objects` just while it holds a page. `ended` is set under both locks.
    """

    __slots__ = ("cost", "ended", "exclusive", "host", "kind", "lock", "objects", "pam", "persistent", "room",
                 "spare", "tally", "unlocked", "users", "uuid")  # fmt: skip

    def __init__(self, kind: Kind, uuid: int | None, room: Room, pam: Pam[Pampd], host: Host | None) -> None:
        self.lock = threading.Lock()
        self.kind = kind
        self.persistent = kind.persistent
        self.exclusive = kind.exclusive
        self.unlocked = kind.persistent and not kind.shared
        """Whether a hit needs no lock: who leaves such a pool can never join it again."""
        self.uuid = uuid
        self.users = 0
        self.ended = False
        self.objects: dict[int, Object] = {}
        self.tally = Tally()
        self.room = room
        self.pam = pam
        self.host = host
        self.cost = pam.overhead + ENTRY + (0 if kind.persistent else AGE)
        """Bytes that a page costs beyond its data."""
        self.spare = 0
        """Bytes that a persistent pool took from the room in advance. Another's pages need the room's lock
        anyway, for their order."""

    def store(self, oid: int, index: int, pampd: Pampd) -> int:
        """Let the slot hold the page; 0, or how many bytes of room are lacking, and nothing changed.

        MemoryError where the host refuses a new object, and nothing changed.
        """
        obj = self.objects.get(oid)
        if obj is None:
            return self._store_first(oid, index, pampd)
        old = obj.pages.get(index)
        cost = self.pam.size(pampd) + self.cost
        if old is not None:
            cost -= self.pam.size(old) + self.cost
        if self.persistent:
            if cost > self.spare and (lacking := self._take_room(cost)):
                return lacking
            self.spare -= cost
            if cost < 0:
                self._give_room()
        else:
            room = self.room
            if not room.lock.acquire(False):
                take(room.lock)
            try:
                used = room.used + cost
                if used > room.mark and (lacking := room.lacking(used)):
                    return lacking
                room.used = used
                if old is not None:
                    room.order.remove(obj, index)
                room.order.append(obj, index)
            finally:
                room.lock.release()
        obj.pages[index] = pampd
        self.tally.stored += 1
        if old is not None:
            self.tally.replaced += 1
            self.pam.free(old)
        return 0

    def _store_first(self, oid: int, index: int, pampd: Pampd) -> int:
        """`store`, of the first page of an object."""
        if self.host is not None:
            self.host.obj_alloc()
        obj = Object(self, oid)
        cost = self.pam.size(pampd) + self.cost + OBJECT
        if self.persistent:
            lacking = self._take_room(cost) if cost > self.spare else 0
            if not lacking:
                self.spare -= cost
        else:
            with self.room.lock:
                lacking = self.room.charge(cost)
                if not lacking:
                    self.room.order.append(obj, index)
        if lacking:
            if self.host is not None:
                self.host.obj_free()
            return lacking
        obj.pages[index] = pampd
        self.objects[oid] = obj
        self.tally.stored += 1
        return 0

    def fail(self, oid: int, index: int) -> None:
        """A put of this slot failed: what it held is never seen again."""
        self.tally.failed += 1
        pampd = self._take(oid, index)
        if pampd is not None:
            self.tally.dropped += 1
            self.pam.free(pampd)

    def get(self, oid: int, index: int) -> Pampd | None:
        """The page that the slot holds. Where hits are exclusive it leaves the slot, and is the caller's."""
        if self.exclusive:
            pampd = self._take(oid, index)
        else:
            obj = self.objects.get(oid)
            pampd = None if obj is None else obj.pages.get(index)
            if obj is not None and pampd is not None and not self.persistent:
                with self.room.lock:
                    self.room.order.touch(obj, index)
        if pampd is None:
            self.tally.misses += 1
            return None
        self.tally.hits += 1
        if self.exclusive:
            self.tally.taken += 1
        return pampd

    def flush(self, oid: int, index: int) -> bool:
        """Let the slot hold nothing; whether it held a page."""
        pampd = self._take(oid, index)
        if pampd is None:
            return False
        self.tally.flushes += 1
        self.tally.flushed += 1
        self.pam.free(pampd)
        return True

    def detach(self, oid: int) -> Object | None:
        """Let no slot of the object hold a page; the object with its pages, which are the caller's."""
        obj = self.objects.pop(oid, None)
        if obj is None:
            return None
        self.tally.flushes += 1
        self.tally.flushed += len(obj.pages)
        if not self.persistent:
            with self.room.lock:
                self.room.order.remove_object(obj, len(obj.pages))
        return obj

    def end(self) -> dict[int, Object]:
        """Let no slot of the pool hold a page, for good; the objects, which are the caller's."""
        with self.room.lock:
            self.ended = True
            self.room.used -= self.spare
            self.spare = 0
            if not self.persistent:
                self.room.order.remove_pages(self.tally.pages)
        self.tally.ended = self.tally.pages
        objects, self.objects = self.objects, {}
        return objects

    def evict(self, obj: Object, index: int) -> Pampd:
        """Reclaim a page that the order says is there; it is the caller's, and its room is given back.

        The reclaimer calls this from below: it holds the room's lock too.
        """
        pampd = obj.pages.pop(index)
        self.room.used -= self.pam.size(pampd) + self.cost
        if not obj.pages:
            obj.gone = True
            self.room.used -= self._drop(obj)
        self.room.order.pages -= 1
        self.tally.reclaimed += 1
        return pampd

    def _take(self, oid: int, index: int) -> Pampd | None:
        obj = self.objects.get(oid)
        pampd = None if obj is None else obj.pages.pop(index, None)
        if obj is None or pampd is None:
            return None
        cost = self.pam.size(pampd) + self.cost
        if not obj.pages:
            cost += self._drop(obj)
        if self.persistent:
            self.spare += cost
            self._give_room()
            return pampd
        room = self.room
        if not room.lock.acquire(False):
            take(room.lock)
        try:
            room.used -= cost
            if obj.pages:
                room.order.remove(obj, index)
            else:
                room.order.remove_object(obj, 1)
        finally:
            room.lock.release()
        return pampd

    def _take_room(self, cost: int) -> int:
        """Have at least `cost` bytes to spare, and some for later where that is free; or how many lack."""
        room = self.room
        with room.lock:
            used = room.used + cost - self.spare
            if lacking := room.lacking(used):
                return lacking
            if used + room.advance <= room.mark:
                used += room.advance
            self.spare += used - room.used
            room.used = used
        return 0

    def _give_room(self) -> None:
        """Give back what is spare, but for some to go on with, once that is much."""
        room = self.room
        if self.spare > 2 * room.advance:
            self.give_room(self.spare - room.advance)

    def give_room(self, spare: int) -> None:
        """Give so many spare bytes back."""
        with self.room.lock:
            self.room.used -= spare
        self.spare -= spare

    def _drop(self, obj: Object) -> int:
        """Let go of an object that holds no page; the bytes that this gives."""
        del self.objects[obj.oid]
        if self.host is not None:
            self.host.obj_free()
        return OBJECT
