"""The registry: which pool a client's id stands for, and the shared pools by UUID."""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import heappop, heappush

from tmem.impl.counters import Tally
from tmem.impl.pool import Object, Pool
from tmem.spec import Kind
from tmem.spec.abi.errors import ENODEV, EPERM


class Registry:
    """Tables of pools by client and id. Its lock stands above those of the pools.

    `tables` is read without the lock: to look a key up in a dict is one step for the interpreter. An id
    is given up under the lock of its pool too, so whoever holds that one, and finds the pool in its
    table, may go on.
    """

    def __init__(self, make: Callable[[Kind, int | None], Pool]) -> None:
        self.lock = threading.Lock()
        self._make = make
        self.tables: dict[int, dict[int, Pool]] = {}
        self._past = Tally()
        """The counts of all pools that have ended."""
        self._free: dict[int, list[int]] = {}
        """By client the ids given up, as a heap; with the ids in its table they are 0, 1, 2, ..."""
        self._shared: dict[int, Pool] = {}
        self._closed = False

    def join(self, client: int, kind: Kind, uuid: int | None) -> int:
        """The client's smallest free id, for a new pool or, by the UUID, for the shared one.

        EPERM where the shared pool is of another kind; ENODEV once the registry is closed.
        """
        with self.lock:
            if self._closed:
                raise OSError(ENODEV, "the store is closed")
            pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
            if pool is not None and pool.kind != kind:
                raise OSError(EPERM, f"the pool of UUID {uuid:#x} is {pool.kind}, not {kind}")
            if pool is None:
                pool = self._make(kind, uuid if kind.shared else None)
                if pool.uuid is not None:
                    self._shared[pool.uuid] = pool
            pool.users += 1
            table = self.tables.setdefault(client, {})
            free = self._free.get(client)
            id = heappop(free) if free else len(table)
            table[id] = pool
            return id

    def leave(self, client: int, id: int) -> tuple[Pool, dict[int, Object]] | None:
        """The id stands for no pool any more; the pool, and its objects where nobody uses it now.

        None where the client has no such pool.
        """
        with self.lock:
            table = self.tables.get(client, {})
            pool = table.get(id)
            if pool is None:
                return None
            with pool.lock:
                del table[id]
                pool.users -= 1
                objects = {} if pool.users else pool.end()
            if table:
                heappush(self._free.setdefault(client, []), id)
            else:
                del self.tables[client]
                self._free.pop(client, None)
            if not pool.users:
                self._past.add(pool.tally)
                if pool.uuid is not None:
                    del self._shared[pool.uuid]
            return pool, objects

    def close(self) -> list[tuple[int, int]]:
        """Let nobody join any more; every ⟨client, id⟩ that still stands for a pool."""
        with self.lock:
            self._closed = True
            return [(client, id) for client, table in self.tables.items() for id in table]

    def tally(self) -> tuple[Tally, int, int]:
        """The counts of all pools that are and were, each at one instant; how many pools there are; their
        spare bytes.
        """
        total, spare = Tally(), 0
        with self.lock:
            total.add(self._past)
            pools = self._pools()
            for pool in pools:
                with pool.lock:
                    total.add(pool.tally)
                    spare += pool.spare
        return total, len(pools), spare

    def collect(self) -> None:
        """Let all pools give back the room that they took in advance."""
        with self.lock:
            for pool in self._pools():
                if pool.spare:  # a look without the lock: who takes some now was here before us
                    with pool.lock:
                        pool.give_room(pool.spare)

    def _pools(self) -> list[Pool]:
        """Every pool once, in an order that does not depend on where they lie in memory."""
        return list(dict.fromkeys(pool for table in self.tables.values() for pool in table.values()))
