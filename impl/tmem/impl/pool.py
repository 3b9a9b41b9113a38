"""Pools and their objects: what the lock of a pool guards, and the steps that are taken under it.

No step releases its locks when an exception ends it: `mend` first puts right what the step left undone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from itertools import islice, repeat, starmap

from tmem.impl.counters import Tally
from tmem.impl.hosts import Host
from tmem.impl.order import OrderedObject, OrderedPool
from tmem.impl.pam import Pam, Pampd
from tmem.impl.room import AGE, ENTRY, OBJECT, POOL, Room
from tmem.impl.waiting import take
from tmem.spec import Kind

REFUSED = -1
"""The answer of `Pool.store` where the host refuses a new object."""


class Object(OrderedObject):
    """The pages of one object, by index."""

    __slots__ = ("oid",)

    def __init__(self, pool: OrderedPool, oid: int) -> None:
        super().__init__(pool)
        self.oid = oid


class Pool(OrderedPool):
    """One pool, private or shared. The caller of a step holds `lock`; the step takes the lock of the room.

    An object is in `objects` exactly while it holds a page. The pages of an ephemeral pool change under both
    locks, as do `ended`, `leaving` and `users`. `held` is the sum of the pool itself, once for each of its
    users, of the objects and pages in `objects` and `leaving`, and of `spare`.
    """

    __slots__ = ("cost", "exclusive", "host", "kind", "leaving", "lock", "objects", "pam", "persistent",
                 "room", "spare", "tally", "unlocked", "users", "uuid")  # fmt: skip

    def __init__(self, kind: Kind, uuid: int | None, room: Room, pam: Pam[Pampd], host: Host | None) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.kind = kind
        self.persistent = kind.persistent
        self.exclusive = kind.exclusive
        self.unlocked = kind.persistent and not kind.shared
        """Whether a hit needs no lock: a client that leaves such a pool can never join it again."""
        self.uuid = uuid
        self.users = 0
        self.objects: dict[int, Object] = {}
        self.leaving: list[dict[int, Object]] = []
        """Objects that were detached, and whose pages are not all given back yet."""
        self.tally = Tally()
        self.room = room
        self.pam = pam
        self.host = host
        self.cost = pam.overhead + ENTRY + (0 if kind.persistent else AGE)
        """Bytes that a page costs beyond its data."""
        self.spare = 0
        """Bytes that a persistent pool took from the room in advance. The pages of an ephemeral one need the
        lock of the room anyway, for their order."""

    def cost_of(self, pampd: Pampd) -> int:
        """Return the bytes of the room that a page takes."""
        return self.pam.size(pampd) + self.cost

    def cost_of_all(self, pampds: Collection[Pampd]) -> int:
        """Return the bytes of the room that pages take."""
        return sum(map(self.pam.size, pampds)) + len(pampds) * self.cost

    # Pages

    def store(self, oid: int, index: int, pampd: Pampd) -> int:
        """Let the slot hold the page, and return 0.

        Where that cannot be, nothing changes: returns how many bytes of room lack, or REFUSED.
        """
        obj = self.objects.get(oid)
        if obj is None:
            return self._store_first(oid, index, pampd)
        old = obj.pages.get(index)
        cost = self.cost_of(pampd)
        if old is not None:
            cost -= self.cost_of(old)
        if self.persistent:
            if cost > self.spare and (lacking := self._take_room(cost)):
                return lacking
            self.spare -= cost
            obj.pages[index] = pampd
            if cost < 0:
                self._give_room()
        else:
            room = self.room
            if not room.lock.acquire(False):
                take(room.lock)
            used = room.used + cost
            lacking = room.lacking(used) if used > room.mark else 0
            if not lacking:
                room.used = used
                self.held += cost
                if old is not None:
                    room.order.remove(obj, index)
                room.order.append(obj, index)
                obj.pages[index] = pampd
            room.lock.release()
            if lacking:
                return lacking
        self.tally.stored += 1
        if old is not None:
            self.tally.replaced += 1
            self.pam.free(old)
        return 0

    def _store_first(self, oid: int, index: int, pampd: Pampd) -> int:
        """`store`, for the first page of an object."""
        if self.host is not None:
            try:
                self.host.obj_alloc()
            except (MemoryError, OSError):
                return REFUSED
        obj = Object(self, oid)
        cost = self.cost_of(pampd) + OBJECT
        if self.persistent:
            lacking = self._take_room(cost) if cost > self.spare else 0
            if not lacking:
                self.spare -= cost
                obj.pages[index] = pampd
                self.objects[oid] = obj
        else:
            room = self.room
            room.lock.acquire()
            lacking = room.charge(self, cost)
            if not lacking:
                room.order.append(obj, index)
                obj.pages[index] = pampd
                self.objects[oid] = obj
            room.lock.release()
        if lacking:
            if self.host is not None:
                self.host.obj_free()
            return lacking
        self.tally.stored += 1
        return 0

    def fail(self, oid: int, index: int) -> None:
        """Let the slot hold nothing, since a put to it failed."""
        self.tally.failed += 1
        pampd = self._take(oid, index)
        if pampd is not None:
            self.tally.dropped += 1
            self.pam.free(pampd)

    def get(self, oid: int, index: int) -> Pampd | None:
        """Return the page that the slot holds; an exclusive hit takes it out of the slot."""
        if self.exclusive:
            pampd = self._take(oid, index)
        else:
            obj = self.objects.get(oid)
            pampd = None if obj is None else obj.pages.get(index)
            if obj is not None and pampd is not None and not self.persistent:
                room = self.room
                room.lock.acquire()
                room.order.touch(obj, index)
                room.lock.release()
        if pampd is None:
            self.tally.misses += 1
            return None
        self.tally.hits += 1
        if self.exclusive:
            self.tally.taken += 1
        return pampd

    def peek(self, oid: int, index: int) -> Pampd | None:
        """Return the page that the slot holds, and leave it there."""
        obj = self.objects.get(oid)
        return None if obj is None else obj.pages.get(index)

    def flush(self, oid: int, index: int) -> bool:
        """Let the slot hold nothing; return whether it held a page."""
        pampd = self._take(oid, index)
        if pampd is None:
            return False
        self.tally.flushes += 1
        self.tally.flushed += 1
        self.pam.free(pampd)
        return True

    def evict(self, obj: Object, index: int) -> Pampd:
        """Reclaim a page that the order shows; it is the caller's, and its room is given back.

        The reclaimer calls this from below: it holds the lock of the room too.
        """
        pampd = obj.pages[index]
        cost = self.cost_of(pampd)
        del obj.pages[index]
        if not obj.pages:
            obj.gone = True
            cost += self._drop(obj)
        self.room.give_back(self, cost)
        self.room.order.pages -= 1
        self.tally.reclaimed += 1
        return pampd

    def _take(self, oid: int, index: int) -> Pampd | None:
        """Take the page out of the slot, and give its room back."""
        obj = self.objects.get(oid)
        pampd = None if obj is None else obj.pages.get(index)
        if obj is None or pampd is None:
            return None
        cost = self.cost_of(pampd)
        if self.persistent:
            del obj.pages[index]
            if not obj.pages:
                cost += self._drop(obj)
            self.spare += cost
            self._give_room()
            return pampd
        room = self.room
        if not room.lock.acquire(False):
            take(room.lock)
        del obj.pages[index]
        if obj.pages:
            room.order.remove(obj, index)
        else:
            cost += self._drop(obj)
            room.order.remove_object(obj, 1)
        self.held -= cost
        room.used -= cost
        room.lock.release()
        return pampd

    def _drop(self, obj: Object) -> int:
        """Remove an object that holds no page; return the bytes that this gives."""
        del self.objects[obj.oid]
        if self.host is not None:
            self.host.obj_free()
        return OBJECT

    # Whole objects

    def detach(self, oid: int) -> dict[int, Object]:
        """Let no slot of the object hold a page; return the object by its id, now also in `leaving`."""
        obj = self.objects.get(oid)
        if obj is None:
            return {}
        detached = {oid: obj}
        room = self.room
        room.lock.acquire()
        self.leaving.append(detached)
        del self.objects[oid]
        self.tally.flushes += 1
        self.tally.flushed += len(obj.pages)
        if not self.persistent:
            room.order.remove_object(obj, len(obj.pages))
        room.lock.release()
        return detached

    def end(self) -> None:
        """Let no slot of the pool hold a page, for good; all its objects are in `leaving`."""
        room = self.room
        room.lock.acquire()
        self.ended = True
        self.leaving.append(self.objects)
        self.objects = {}
        if not self.persistent:
            room.order.remove_pages(self.tally.pages)
        self.tally.ended += self.tally.pages
        room.give_back(self, self.spare)
        self.spare = 0
        room.lock.release()

    def give_back(self, detached: dict[int, Object], most: int) -> list[Pampd]:
        """Take up to `most` pages out of detached objects, and give their room back; they are the caller's.

        Objects and pages go from the end of their dicts: to find the first of a dict whose first ones were
        removed takes longer with each.
        """
        room, cost = self.room, 0
        room.lock.acquire()
        pampds: list[Pampd] = []
        while detached and len(pampds) < most:
            pages = detached[next(reversed(detached))].pages
            some = list(islice(reversed(pages.values()), most - len(pampds)))
            pampds += some
            deque(starmap(pages.popitem, repeat((), len(some))), 0)  # all of them in one step
            if not pages:
                detached.popitem()
                cost += OBJECT
                if self.host is not None:
                    self.host.obj_free()
        if not detached:
            self.leaving = [each for each in self.leaving if each]
        room.give_back(self, cost + self.cost_of_all(pampds))
        if not self.persistent:
            room.order.tidy(len(pampds))
        room.lock.release()
        return pampds

    # Room in advance

    def _take_room(self, cost: int) -> int:
        """Have `cost` bytes to spare, and more for later if they are free; return how many bytes lack."""
        room = self.room
        room.lock.acquire()
        used = room.used + cost - self.spare
        lacking = room.lacking(used)
        if not lacking:
            if used + room.advance <= room.mark:
                used += room.advance
            self.held += used - room.used
            self.spare += used - room.used
            room.used = used
        room.lock.release()
        return lacking

    def _give_room(self) -> None:
        """Give back what is to spare, but for some to go on with, once it is much."""
        room = self.room
        if self.spare > 2 * room.advance:
            self.give_room(self.spare - room.advance)

    def give_room(self, spare: int) -> None:
        """Give this many spare bytes back."""
        room = self.room
        room.lock.acquire()
        room.give_back(self, spare)
        self.spare -= spare
        room.lock.release()

    # After an exception

    def recount(self) -> None:
        """Derive every count from the pages that are there; the caller holds both locks."""
        self.leaving = [detached for detached in self.leaving if detached]
        for detached in self.leaving:
            for oid, obj in detached.items():
                obj.gone = True
                if self.objects.get(oid) is obj:
                    del self.objects[oid]
        for oid, obj in list(self.objects.items()):
            if not obj.pages:
                obj.gone = True
                del self.objects[oid]
        if self.ended and self.objects:
            self.leaving.append(self.objects)
            self.objects = {}
        missing = self.tally.pages - sum(len(obj.pages) for obj in self.objects.values())
        if missing < 0:
            self.tally.stored -= missing
        elif self.ended:
            self.tally.ended += missing
        else:
            self.tally.flushed += missing
        taken = POOL * self.users
        for objects in [self.objects, *self.leaving]:
            for obj in objects.values():
                taken += OBJECT + self.cost_of_all(obj.pages.values())
        most = self.room.advance if self.persistent and not self.ended else 0
        self.spare = min(max(0, self.held - taken), 2 * most)
        self.held = taken + self.spare
