"""SQLite: ephemeral and persistent pools in one table.

Each operation is one statement, which is a transaction: DELETE … RETURNING gets a page and removes it at
one instant. A backend has a database of its own, since writers of one wait for each other by sleeping, and a
thread has a connection of its own. A full database refuses an upsert and keeps the old page.

Run: tmem check py:examples/stores/sqlite.py:Right
"""

from __future__ import annotations

import sqlite3
import threading

from adapter import Adapter, Pool
from of_the_run import folder

BREAKS = "TMEM-GET-2"
"""What Naive breaks: of two gets at once both hit."""
PAGES = 2048
"""Pages of 4096 bytes that the database may have."""
TABLE = "CREATE TABLE IF NOT EXISTS pages (pool, oid, idx, page, PRIMARY KEY (pool, oid, idx)) WITHOUT ROWID"
SLOT = "WHERE pool = ? AND oid = ? AND idx = ?"


class Right(Adapter):
    """One statement for each operation."""

    def __init__(self) -> None:
        super().__init__()
        self.path = folder("sqlite") / f"{self._namespace}.db"
        self.local = threading.local()

    @property
    def base(self) -> sqlite3.Connection:
        """The connection of this thread."""
        found: sqlite3.Connection | None = getattr(self.local, "base", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=600, isolation_level=None)
            for each in ("journal_mode = WAL", "synchronous = OFF", f"max_page_count = {PAGES}"):
                found.execute(f"PRAGMA {each}")
            found.execute(TABLE)
            self.local.base = found
        return found

    def close(self) -> None:
        """End all pools, and remove the database."""
        super().close()
        self.base.close()
        for name in (self.path, *(self.path.with_name(f"{self.path.name}-{end}") for end in ("wal", "shm"))):
            name.unlink(missing_ok=True)

    def put_page(self, pool: Pool, oid: int, index: int, page: bytes) -> bool:
        """Upsert, and delete where the database is full: the upsert that failed changed nothing."""
        try:
            self.base.execute("REPLACE INTO pages VALUES (?, ?, ?, ?)", (*slot(pool, oid, index), page))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self.drop_page(pool, oid, index)
            return False
        return True

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Select from a persistent pool, delete returning from an ephemeral one."""
        verb = "SELECT page FROM pages {}" if pool.persistent else "DELETE FROM pages {} RETURNING page"
        rows = self.base.execute(verb.format(SLOT), slot(pool, oid, index)).fetchall()
        return rows[0][0] if rows else None

    def drop_page(self, pool: Pool, oid: int, index: int) -> bool:
        """Delete one row."""
        return self.base.execute(f"DELETE FROM pages {SLOT}", slot(pool, oid, index)).rowcount > 0

    def drop_object(self, pool: Pool, oid: int) -> bool:
        """Delete the rows of an object, at one instant."""
        where = (pool.name, oid.to_bytes(24, "big"))
        return self.base.execute("DELETE FROM pages WHERE pool = ? AND oid = ?", where).rowcount > 0

    def drop_pool(self, pool: Pool) -> None:
        """Delete the rows of a pool."""
        self.base.execute("DELETE FROM pages WHERE pool = ?", (pool.name,))


class Naive(Right):
    """Selects, then deletes: two threads can both get the page."""

    def get_page(self, pool: Pool, oid: int, index: int) -> bytes | None:
        """Two statements."""
        rows = self.base.execute(f"SELECT page FROM pages {SLOT}", slot(pool, oid, index)).fetchall()
        if rows and not pool.persistent:
            self.drop_page(pool, oid, index)
        return rows[0][0] if rows else None


def slot(pool: Pool, oid: int, index: int) -> tuple[str, bytes, int]:
    """The primary key: a number of SQLite has 64 bits, so the object id goes as bytes."""
    return pool.name, oid.to_bytes(24, "big"), index
