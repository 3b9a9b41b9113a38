"""Ten races seeded into the store itself, one of each kind, which `tmem check` must find.

Each race replaces texts in a copy of the package. If a text no longer occurs in the store, making the copy
fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tmem.impl

SOURCE: Final = Path(tmem.impl.__file__).parent
COPY: Final = "racy_impl"


@dataclass(frozen=True)
class Change:
    """The replacement of a text in one module."""

    module: str
    old: str
    new: str


_GET: Final = """                if not owner.lock.acquire(False):
                    take(owner.lock)
                there = table.get(pool) is owner
                pampd = owner.get(oid, index) if there else None
                owner.lock.release()
"""
_PUT: Final = """                    if not owner.lock.acquire(False):
                        take(owner.lock)
                    there = table.get(pool) is owner
                    if there:
                        lacking = owner.store(oid, index, pampd)
                    owner.lock.release()
"""
_STRIKE: Final = """            if not pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            gone.append((pool, pool.evict(cast(Object, obj), index)))
            pool.lock.release()
"""

RACES: Final[dict[str, tuple[Change, ...]]] = {
    "unlocked read": (
        Change(
            "store.py",
            _GET,
            """                there = True
                pampd = owner.get(oid, index)
""",
        ),
    ),
    "check-then-act": (
        Change(
            "registry.py",
            """            self.lock.acquire()
            pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
""",
            """            pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
            self.lock.acquire()
""",
        ),
    ),
    "lock order": (Change("reclaim.py", "acquire(blocking=False)", "acquire()"),),
    "put against destroy": (
        Change(
            "store.py",
            _PUT,
            """                    there = True
                    with owner.lock:
                        lacking = owner.store(oid, index, pampd)
""",
        ),
    ),
    "reclaim against get": (
        Change(
            "reclaim.py",
            _STRIKE,
            """            gone.append((pool, pool.evict(cast(Object, obj), index)))
""",
        ),
    ),
    "reclaim against duplicate put": (
        Change(
            "reclaim.py", "    passed: list[", "    where: list[tuple[Object, int]] = []\n    passed: list["
        ),
        Change(
            "reclaim.py",
            "            gone.append((pool, pool.evict(cast(Object, obj), index)))\n",
            """            gone.append((pool, pool.evict(cast(Object, obj), index)))
            where.append((cast(Object, obj), index))
""",
        ),
        Change(
            "reclaim.py",
            "        room.lock.release()\n        for pool, pampd in freeing:\n",
            """        room.lock.release()
        for (pool, pampd), (obj, index) in zip(gone, where, strict=True):
            if index in pool.objects.get(obj.oid, obj).pages:
                pool.objects[obj.oid].pages[index] = pampd
        for pool, pampd in freeing:
""",
        ),
    ),
    "double exclusive get": (
        Change(
            "pool.py",
            """            pampd = self._take(oid, index)
        else:""",
            """            pampd = self.peek(oid, index)
        else:""",
        ),
        Change(
            "store.py",
            "                if owner.exclusive:\n",
            """                if owner.exclusive:
                    with owner.lock:
                        owner.flush(oid, index)
""",
        ),
    ),
    "copy-on-write lost put": (
        Change(
            "store.py", _PUT, "                    there, lacking = True, owner.store(oid, index, pampd)\n"
        ),
        Change(
            "pool.py",
            """        self.tally.stored += 1
        if old is not None:
""",
            """        obj.pages = {**obj.pages, index: bytes(pampd)}
        self.tally.stored += 1
        if old is not None:
""",
        ),
    ),
    "torn page": (
        Change("pam/plain.py", "self.create = codec.compress", "self._compress = codec.compress"),
        Change(
            "pam/plain.py",
            "    def free(self",
            """    def create(self, page: bytes) -> bytes:
        half = len(page) // 2
        self._half = page[:half]
        return self._compress(self._half + page[half:])

    def free(self""",
        ),
    ),
    "put into a freed object": (
        Change(
            "store.py",
            _PUT,
            "                    seen = owner.objects.get(oid)\n" + _PUT.replace("pampd)", "pampd, seen)"),
        ),
        Change(
            "pool.py",
            "def store(self, oid: int, index: int, pampd: Pampd)",
            "def store(self, oid: int, index: int, pampd: Pampd, obj: Object | None = None)",
        ),
        Change(
            "pool.py",
            """        obj = self.objects.get(oid)
        if obj is None:
            return self._store_first""",
            """        obj = obj or self.objects.get(oid)
        if obj is None:
            return self._store_first""",
        ),
    ),
}


def seed(race: str, folder: Path) -> Path:
    """Copy the store with this race into a folder. Returns the file whose `factory` makes the store."""
    return changed(RACES[race], folder)


def changed(changes: Iterable[Change], folder: Path) -> Path:
    """Copy the store with these changes into a folder. Returns the file whose `factory` makes the store."""
    texts = {path.relative_to(SOURCE): path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    for change in changes:
        path = Path(change.module)
        if texts[path].count(change.old) != 1:
            raise ValueError(f"{path} has {texts[path].count(change.old)} times\n{change.old}")
        texts[path] = texts[path].replace(change.old, change.new)
    for path, text in texts.items():
        copy = folder / COPY / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text.replace("tmem.impl", COPY), "utf-8")
    target = folder / "racy.py"
    target.write_text(f"from {COPY}.target import factory\n", "utf-8")
    return target
