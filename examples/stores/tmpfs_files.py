"""Files of a tmpfs: ephemeral and persistent pools, a folder for an object and a file for a page.

A file that is written in place is seen half written, so a put writes another file and renames it. By
rename, too, a get takes its page from an ephemeral pool, and flush object takes its folder, each at one
instant.

Run: tmem check py:examples/stores/tmpfs_files.py:Right
"""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

from adapter import Adapter, Pool
from of_the_run import folder

BREAKS = "TMEM-PUT-2"
"""What Naive breaks: a get sees a page half written, which nobody ever put."""


class Right(Adapter):
    """Renames."""

    def __init__(self) -> None:
        super().__init__()
        self.root = folder("tmpfs") / self._namespace
        self.aside = self.root / "aside"
        self.aside.mkdir(parents=True)
        self.names = count()

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Write a file aside and rename it. Where there is no room, the old page goes too."""
        place, fresh = self.place(pool, oid) / str(index), self.fresh()
        try:
            fresh.write_bytes(page)
            while True:
                place.parent.mkdir(parents=True, exist_ok=True)
                try:
                    fresh.rename(place)
                    return True
                except FileNotFoundError:  # a flush object took the folder
                    continue
        except OSError:
            fresh.unlink(missing_ok=True)
            place.unlink(missing_ok=True)
            return False

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Read the file; in an ephemeral pool, take it first."""
        place = self.place(pool, oid) / str(index)
        try:
            if pool.persistent:
                return place.read_bytes()
            taken = place.rename(self.fresh())
        except FileNotFoundError:
            return None
        page = taken.read_bytes()
        taken.unlink()
        return page

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Unlink the file."""
        try:
            (self.place(pool, oid) / str(index)).unlink()
        except FileNotFoundError:
            return False
        return True

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Take the folder, then remove it."""
        try:
            taken = self.place(pool, oid).rename(self.fresh())
        except FileNotFoundError:
            return False
        shutil.rmtree(taken)
        return True

    def drop_pool(self, pool: Pool) -> None:
        """Remove the folder of the pool."""
        shutil.rmtree(self.root / pool.name.rpartition(":")[2], ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        super().close()
        shutil.rmtree(self.root, ignore_errors=True)

    def place(self, pool: Pool, oid: int) -> Path:
        """The folder of an object."""
        return self.root / pool.name.rpartition(":")[2] / f"{oid:x}"

    def fresh(self) -> Path:
        """A path that nobody uses."""
        return self.aside / str(next(self.names))


class Naive(Right):
    """Writes in place."""

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Open the file, which empties it, and write it."""
        place = self.place(pool, oid) / str(index)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with place.open("wb") as file:
                file.write(page)
        except FileNotFoundError:  # a flush object took the folder
            return False
        return True
