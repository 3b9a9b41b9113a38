"""A store in lmdb: one write transaction at a time, which lmdb ties to the thread that began it."""

from __future__ import annotations

import lmdb

from tests.schedules.foreign.private_pools import Pools


def key_of(number: int, oid: int, index: int) -> bytes:
    return number.to_bytes(8, "big") + oid.to_bytes(24, "big") + index.to_bytes(4, "big")


class Store(Pools):
    def __init__(self) -> None:
        super().__init__()
        self.environment = lmdb.open(str(self.folder), map_size=1 << 30, sync=False, metasync=False)

    def put(self, client, pool, oid, index, page) -> bool:
        self.check(oid, index, page)
        with self.environment.begin(write=True) as transaction:
            transaction.put(self.key(client, pool, oid, index), bytes(page))
        return True

    def get(self, client, pool, oid, index) -> bytes | None:
        self.check(oid, index)
        number, persistent = self.pool(client, pool)
        with self.environment.begin(write=not persistent) as transaction:
            key = key_of(number, oid, index)
            page = transaction.get(key)
            if page is not None and not persistent:
                transaction.delete(key)
        return page

    def flush_page(self, client, pool, oid, index) -> bool:
        self.check(oid, index)
        with self.environment.begin(write=True) as transaction:
            return transaction.delete(self.key(client, pool, oid, index))

    def flush_object(self, client, pool, oid) -> bool:
        self.check(oid, 0)
        prefix = self.key(client, pool, oid, 0)[:-4]
        found = False
        with self.environment.begin(write=True) as transaction, transaction.cursor() as cursor:
            more = cursor.set_range(prefix)
            while more and cursor.key().startswith(prefix):
                more = cursor.delete()
                found = True
        return found

    def key(self, client, pool, oid, index) -> bytes:
        return key_of(self.pool(client, pool)[0], oid, index)

    def close(self) -> None:
        self.environment.close()
        super().close()


class TwoTransactions(Store):
    """An exclusive get reads in one transaction, and removes what the key holds in the next."""

    def get(self, client, pool, oid, index) -> bytes | None:
        self.check(oid, index)
        number, persistent = self.pool(client, pool)
        key = key_of(number, oid, index)
        with self.environment.begin() as transaction:
            page = transaction.get(key)
        if page is not None and not persistent:
            with self.environment.begin(write=True) as transaction:
                transaction.delete(key)
        return page


factory = Store
racy = TwoTransactions
