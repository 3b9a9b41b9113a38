"""Ten races seeded into the store itself, one of each kind, which `tmem check` must find.

Each is a change of its text, laid on a copy of the package; where the store has changed so that the text
is no longer there, making the copy fails.
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
    """A text of one module, and what it becomes."""

    module: str
    old: str
    new: str


_GET: Final = """            if not owner.lock.acquire(False):
                take(owner.lock)
            try:
                if table.get(pool) is not owner:
                    raise no_pool(client, pool)
                pampd = owner.get(oid, index)
            finally:
                owner.lock.release()
            if pampd is None:
"""
_PUT: Final = """                if not owner.lock.acquire(False):
                    take(owner.lock)
                try:
                    if table.get(pool) is not owner:
                        raise no_pool(client, pool)
                    lacking = owner.store(oid, index, pampd)
                finally:
                    owner.lock.release()
"""
_STRIKE: Final = """            if not obj.pool.lock.acquire(blocking=False):
                passed.append(entry)
                continue
            try:
                gone.append((obj.pool, obj.pool.evict(obj, index)))
            finally:
                obj.pool.lock.release()
"""

RACES: Final[dict[str, tuple[Change, ...]]] = {
    "unlocked read": (
        Change(
            "store.py",
            _GET,
            """            pampd = owner.get(oid, index)
            if pampd is None:
""",
        ),
    ),
    "check-then-act": (
        Change(
            "registry.py",
            """        with self.lock:
            if self._closed:
                raise OSError(ENODEV, "the store is closed")
            pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
""",
            """        pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
        with self.lock:
            if self._closed:
                raise OSError(ENODEV, "the store is closed")
""",
        ),
    ),
    "lock order": (Change("reclaim.py", "acquire(blocking=False)", "acquire()"),),
    "put against destroy": (
        Change(
            "store.py",
            _PUT,
            """                with owner.lock:
                    lacking = owner.store(oid, index, pampd)
""",
        ),
    ),
    "reclaim against get": (
        Change(
            "reclaim.py",
            _STRIKE,
            """            gone.append((obj.pool, obj.pool.evict(obj, index)))
""",
        ),
    ),
    "reclaim against duplicate put": (
        Change("reclaim.py", "    gone: list[", "    where: list[tuple[Object, int]] = []\n    gone: list["),
        Change(
            "reclaim.py",
            "                gone.append((obj.pool, obj.pool.evict(obj, index)))\n",
            """                gone.append((obj.pool, obj.pool.evict(obj, index)))
                where.append((obj, index))
""",
        ),
        Change(
            "reclaim.py",
            "    for pool, pampd in gone:\n",
            """    for (pool, pampd), (obj, index) in zip(gone, where, strict=True):
        if index in obj.pool.objects.get(obj.oid, obj).pages:
            obj.pool.objects[obj.oid].pages[index] = pampd
    for pool, pampd in gone:
""",
        ),
    ),
    "double exclusive get": (
        Change(
            "pool.py",
            """            pampd = self._take(oid, index)
        else:""",
            """            pampd = self._peek(oid, index)
        else:""",
        ),
        Change(
            "pool.py",
            "    def flush(self, oid: int",
            """    def _peek(self, oid: int, index: int) -> Pampd | None:
        obj = self.objects.get(oid)
        return None if obj is None else obj.pages.get(index)

    def flush(self, oid: int""",
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
        Change("store.py", _PUT, "                lacking = owner.store(oid, index, pampd)\n"),
        Change(
            "pool.py",
            """        obj.pages[index] = pampd
        self.tally.stored += 1
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
            "                seen = owner.objects.get(oid)\n" + _PUT.replace("pampd)", "pampd, seen)"),
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
    """Make a copy of the store with this race in a folder; the file whose `factory` makes it."""
    return changed(RACES[race], folder)


def changed(changes: Iterable[Change], folder: Path) -> Path:
    """Make a copy of the store with these changes in a folder; the file whose `factory` makes it."""
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
