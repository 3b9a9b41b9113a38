"""The reclaim order: every ephemeral page of every pool, oldest first."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tmem.impl.pool import Object

SWEEP = 16
"""Entries that a removal looks at while a sweep goes on; more than two, so that it gains on them."""
SLACK = 64
"""Stale entries that are not worth a sweep."""


class Order:
    """A queue of ⟨object, index⟩, guarded by the lock of the room.

    A page that goes by another way than reclaim leaves its entry behind, *stale*: to find the entry would
    take a descriptor per page. The entries of one slot stand in the order of their puts, so the object
    counts how many of them come before the live one; once the object is gone all are stale.

    Once more than half of the entries are stale, each removal sweeps some, until all were seen: out of
    `_young`, the live ones to the end of `_old`. So all entries in `_old` are older than those in `_young`,
    and a page costs two pointers. An entry that becomes stale while a sweep goes on may be in `_old`
    already. It is counted apart, for the next sweep: this one would take a younger entry for it.
    """

    __slots__ = ("_old", "_sweep", "_sweeping", "_young", "pages", "stale")

    def __init__(self) -> None:
        self._old = _Queue()
        """What the sweep that goes on has found to be live; empty while none does."""
        self._young = _Queue()
        self._sweeping = False
        self._sweep = 0
        """The number of the sweep that goes on or comes next."""
        self.pages = 0
        """Ephemeral pages, each with one entry that is not stale."""
        self.stale = 0
        """Entries that are."""

    def append(self, obj: Object, index: int) -> None:
        """A page was put: it is the youngest."""
        young = self._young
        young.objects.append(obj)
        young.indexes.append(index)
        self.pages += 1

    def remove(self, obj: Object, index: int) -> None:
        """A page went by another way than reclaim, and its object stays."""
        if obj.sweep != self._sweep:
            self._settle(obj)
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

    def remove_object(self, obj: Object, pages: int) -> None:
        """An object went, with its last `pages` pages."""
        obj.gone = True
        obj.stale = obj.late = None
        self.remove_pages(pages)

    def remove_pages(self, pages: int) -> None:
        """So many pages went with their objects."""
        self.pages -= pages
        self.stale += pages
        self.tidy(SWEEP)

    def touch(self, obj: Object, index: int) -> None:
        """A page was used: it is the youngest now [X]."""
        self.remove(obj, index)
        self.append(obj, index)

    def pop(self) -> tuple[Object, int] | None:
        """Take the oldest entry, stale or not; None where there is none."""
        queue = self._old if self._old.objects else self._young
        return queue.pop() if queue.objects else None

    def push_back(self, obj: Object, index: int) -> None:
        """Put the entry that was popped last, and is not stale, in front again."""
        queue = self._old if self._old.objects else self._young
        queue.objects.appendleft(obj)
        queue.indexes.appendleft(index)

    def is_stale(self, obj: Object, index: int) -> bool:
        """Whether the entry popped just now is stale. This settles it: ask once for each."""
        if not (obj.gone or obj.pool.ended):
            if obj.sweep != self._sweep:
                self._settle(obj)
            if not (_unmark(obj.stale, index) or _unmark(obj.late, index)):
                return False
        self.stale -= 1
        return True

    def tidy(self, entries: int) -> None:
        """Once more than half of all are stale: sweep the next few entries, until all were seen."""
        if not self._sweeping:
            if self.stale <= self.pages + SLACK:
                return
            self._sweeping = True
        young, old, sweep = self._young, self._old, self._sweep
        for _ in range(min(entries, len(young.objects))):
            obj, index = young.pop()
            if not (obj.gone or obj.pool.ended):
                if obj.sweep != sweep:
                    self._settle(obj)
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

    def _settle(self, obj: Object) -> None:
        """A sweep has ended: it dropped all that was stale before it, and what was late comes next."""
        obj.stale, obj.late, obj.sweep = obj.late, None, self._sweep


def _unmark(marks: dict[int, int] | None, index: int) -> bool:
    """Take one stale entry off the count; whether there is one."""
    if not marks or index not in marks:
        return False
    if marks[index] == 1:
        del marks[index]
    else:
        marks[index] -= 1
    return True


class _Queue:
    """⟨object, index⟩ pairs, oldest first, as two parallel deques."""

    __slots__ = ("indexes", "objects")

    def __init__(self) -> None:
        self.objects: deque[Object] = deque()
        self.indexes: deque[int] = deque()

    def pop(self) -> tuple[Object, int]:
        return self.objects.popleft(), self.indexes.popleft()
