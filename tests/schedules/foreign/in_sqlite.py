"""A store in SQLite: a connection for each thread, and a writer waits in C while another one writes."""

from __future__ import annotations

import sqlite3
import threading

from tests.schedules.foreign.private_pools import Pools

WHERE = "where pool = ? and oid = ? and page_index = ?"


class Store(Pools):
    def __init__(self) -> None:
        super().__init__()
        self.own = threading.local()
        self.connections: list[sqlite3.Connection] = []
        self.connection().execute(
            "create table pages (pool, oid, page_index, page, primary key (pool, oid, page_index))"
        )

    def connection(self) -> sqlite3.Connection:
        found = getattr(self.own, "connection", None)
        if found is None:
            found = sqlite3.connect(self.folder / "pages", isolation_level=None, check_same_thread=False)
            found.execute("pragma synchronous = off")
            found.execute("pragma journal_mode = memory")
            self.own.connection = found
            self.connections.append(found)
        return found

    def put(self, client, pool, oid, index, page) -> bool:
        self.check(oid, index, page)
        key = self.key(client, pool, oid, index)
        connection = self.connection()
        connection.execute("begin immediate")
        self.delete(connection, key)
        connection.execute("insert into pages values (?, ?, ?, ?)", (*key, bytes(page)))
        connection.execute("commit")
        return True

    def get(self, client, pool, oid, index) -> bytes | None:
        self.check(oid, index)
        number, persistent = self.pool(client, pool)
        key = (number, str(oid), index)
        connection = self.connection()
        connection.execute("begin immediate")
        page = self.read(connection, key, remove=not persistent)
        connection.execute("commit")
        return page

    def read(self, connection, key, remove) -> bytes | None:
        row = connection.execute(f"select page from pages {WHERE}", key).fetchone()
        if row is not None and remove:
            self.delete(connection, key)
        return None if row is None else row[0]

    def delete(self, connection, key) -> bool:
        return connection.execute(f"delete from pages {WHERE}", key).rowcount > 0

    def flush_page(self, client, pool, oid, index) -> bool:
        self.check(oid, index)
        return self.delete(self.connection(), self.key(client, pool, oid, index))

    def flush_object(self, client, pool, oid) -> bool:
        self.check(oid, 0)
        key = self.key(client, pool, oid, 0)[:2]
        return self.connection().execute("delete from pages where pool = ? and oid = ?", key).rowcount > 0

    def key(self, client, pool, oid, index) -> tuple[int, str, int]:
        return self.pool(client, pool)[0], str(oid), index

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        super().close()


class NoTransaction(Store):
    """A get reads and removes in statements of their own."""

    def get(self, client, pool, oid, index) -> bytes | None:
        self.check(oid, index)
        number, persistent = self.pool(client, pool)
        return self.read(self.connection(), (number, str(oid), index), remove=not persistent)


factory = Store
racy = NoTransaction
