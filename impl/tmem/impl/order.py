"""The reclaim order: every ephemeral page of every pool, oldest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from tmem.impl.pam import Pampd

SWEEP = 16
"""Entries that a removal looks at during a sweep; more than two, so that the sweep gains on the removals."""
SLACK = 64
"""Stale entries that are not worth a sweep."""


class OrderedPool:
    """What the reclaim order and the room need of a pool."""

    __slots__ = ("ended", "held")

    def __init__(self) -> None:
        self.ended = False
        """Whether the pool has ended: all entries that lead to it are stale."""
        self.held = 0
        """Bytes of the room that the pool uses."""


class OrderedObject:
    """What the reclaim order needs of an object: its pages, its pool, and four fields of the order's own."""

    __slots__ = ("gone", "late", "pages", "pool", "stale", "sweep")

    def __init__(self, pool: OrderedPool) -> None:
        self.pool = pool
        self.pages: dict[int, Pampd] = {}
        """The pages by index."""
        self.gone = False
        """Whether the object has left its pool: all its entries are stale."""
        self.stale: dict[int, int] | None = None
        """By index, how many of the next entries are stale."""
        self.late: dict[int, int] | None = None
        """By index, how many of the entries after those became stale during sweep number `sweep`."""
        self.sweep = 0


Entry = tuple[OrderedObject, int]
"""An object and the index of a page."""


class Order:
    """A queue of entries, guarded by the lock of the room.

    A page that goes by another way than reclaim leaves its entry behind, *stale*: a descriptor per page would
    be needed to find the entry. The entries of one slot stand in the order of their puts, so the object
    counts how many of them precede the live one. All entries of an object that is gone are stale.

    Once more than half of the entries are stale, each removal sweeps some, until all were seen: out of
    `_young`, and the live ones to the end of `_old`. So all entries in `_old` are older than those in
    `_young`, and a page costs two pointers. An entry that becomes stale during a sweep may be in `_old`
    already. It is counted apart, for the next sweep: this sweep would drop a younger entry in its place.
    """

    __slots__ = ("_old", "_sweep", "_sweeping", "_young", "pages", "stale")

    def __init__(self) -> None:
        self._old = _Queue()
        """The entries that the present sweep has found to be live; empty between sweeps."""
        self._young = _Queue()
        self._sweeping = False
        self._sweep = 0
        """The number of the present sweep, or else of the next one."""
        self.pages = 0
        """Ephemeral pages, each with one entry that is not stale."""
        self.stale = 0
        """Stale entries."""

    def append(self, obj: OrderedObject, index: int) -> None:
        """Add the entry of a page that was put: it is the youngest."""
        young = self._young
        young.objects.append(obj)
        young.indexes.append(index)
        self.pages += 1

    def remove(self, obj: OrderedObject, index: int) -> None:
        """Count the entry of a page as stale: the page went by another way than reclaim, its object stays."""
        if obj.sweep != self._sweep:
            self._catch_up(obj)
        marks = obj.late if self._sweeping else obj.stale
        if marks is None:
            marks = {}
            if self._sweeping:
                obj.late = marks
            else:
                obj.stale = marks
        marks[index] = marks.get(index, 0) + 1
        self.pages -= 1
        self.stale += 1
        if self._sweeping or self.stale > self.pages + SLACK:
            self.tidy(SWEEP)

    def remove_object(self, obj: OrderedObject, pages: int) -> None:
        """Count all entries of an object as stale: it left its pool with its last `pages` pages."""
        obj.gone = True
        obj.stale = obj.late = None
        self.remove_pages(pages)

    def remove_pages(self, pages: int) -> None:
        """Count as stale the entries of this many pages that went with their objects."""
        self.pages -= pages
        self.stale += pages
        self.tidy(SWEEP)

    def touch(self, obj: OrderedObject, index: int) -> None:
        """Make a page that was used the youngest [X]."""
        self.remove(obj, index)
        self.append(obj, index)

    def pop(self) -> Entry | None:
        """Take the oldest entry, stale or not; None if there is none."""
        queue = self._old if self._old.objects else self._young
        return queue.pop() if queue.objects else None

    def push_back(self, obj: OrderedObject, index: int) -> None:
        """Put the entry that was popped last, and is not stale, back in front."""
        queue = self._old if self._old.objects else self._young
        queue.indexes.appendleft(index)
        queue.objects.appendleft(obj)

    def drop_if_stale(self, obj: OrderedObject, index: int) -> bool:
        """Return whether the entry that was just popped is stale; if so, it is no longer counted."""
        if not (obj.gone or obj.pool.ended):
            if obj.sweep != self._sweep:
                self._catch_up(obj)
            if not (_unmark(obj.stale, index) or _unmark(obj.late, index)):
                return False
        self.stale -= 1
        return True

    def tidy(self, entries: int) -> None:
        """Sweep the next few entries, if a sweep is on or more than half of all entries are stale."""
        if not self._sweeping:
            if self.stale <= self.pages + SLACK:
                return
            self._sweeping = True
        young, old, sweep = self._young, self._old, self._sweep
        for _ in range(min(entries, len(young.objects))):
            obj, index = young.pop()
            if not (obj.gone or obj.pool.ended):
                if obj.sweep != sweep:
                    self._catch_up(obj)
                stale = obj.stale
                if stale and index in stale:  # `_unmark`, written out: it is done for every entry
                    if stale[index] == 1:
                        del stale[index]
                    else:
                        stale[index] -= 1
                else:
                    old.objects.append(obj)
                    old.indexes.append(index)
                    continue
            self.stale -= 1
        if not young.objects:
            self._young, self._old = old, young
            self._sweeping = False
            self._sweep += 1

    def mend(self, objects: Iterable[OrderedObject], popped: Sequence[Entry]) -> None:
        """Rebuild the queue, with one entry for each page, after an exception interrupted a change.

        `objects` are all that hold ephemeral pages; `popped` are entries that were popped and belong in
        front, oldest first. A page whose only entry was lost to a sweep goes where the sweep was.
        """
        held: dict[OrderedObject, set[int]] = {}
        for obj in objects:
            obj.stale = obj.late = None
            held[obj] = set(obj.pages)
        young = _youngest(self._young.entries(), held)
        old = _youngest([*popped, *self._old.entries()], held)
        lost = [(obj, index) for obj, indexes in held.items() for index in sorted(indexes)]
        queue = _Queue()
        for obj, index in [*old, *lost, *young]:
            queue.objects.append(obj)
            queue.indexes.append(index)
        self._old, self._young, self._sweeping = _Queue(), queue, False
        self._sweep += 1
        self.pages, self.stale = len(queue.objects), 0

    def _catch_up(self, obj: OrderedObject) -> None:
        """Bring the counts of an object up to the present sweep.

        The sweep before dropped all entries that were stale when it began; those that were late come next.
        """
        obj.stale, obj.late, obj.sweep = obj.late, None, self._sweep


def _unmark(marks: dict[int, int] | None, index: int) -> bool:
    """Take one stale entry off the count; return whether there was one."""
    if not marks or index not in marks:
        return False
    if marks[index] == 1:
        del marks[index]
    else:
        marks[index] -= 1
    return True


def _youngest(entries: Sequence[Entry], held: dict[OrderedObject, set[int]]) -> list[Entry]:
    """Return the last entry of each page in `held`, in their order, and take these pages out of `held`."""
    kept: list[Entry] = []
    for obj, index in reversed(entries):
        indexes = held.get(obj)
        if indexes is not None and index in indexes:
            indexes.remove(index)
            kept.append((obj, index))
    kept.reverse()
    return kept


class _Queue:
    """Entries, oldest first, as two parallel deques.

    An exception between two steps leaves one deque longer: an entry was half appended at the end of
    `objects`, or half taken from the front, or given back there, and its index is left in `indexes`.
    """

    __slots__ = ("indexes", "objects")

    def __init__(self) -> None:
        self.objects: deque[OrderedObject] = deque()
        self.indexes: deque[int] = deque()

    def pop(self) -> Entry:
        """Take the oldest entry."""
        return self.objects.popleft(), self.indexes.popleft()

    def entries(self) -> list[Entry]:
        """All entries that are whole."""
        objects, indexes = list(self.objects), list(self.indexes)
        return list(zip(objects, indexes[max(0, len(indexes) - len(objects)) :], strict=False))
