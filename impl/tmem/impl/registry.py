"""The registry: which pool a client's id stands for, and the shared pools by UUID."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from heapq import heappop, heappush
from typing import cast

from tmem.impl.counters import Tally
from tmem.impl.drain import drain_all
from tmem.impl.hosts import Host
from tmem.impl.mend import insist, mend_pool, mend_room
from tmem.impl.pam import Pam, Pampd
from tmem.impl.pool import Pool
from tmem.impl.room import POOL, Room
from tmem.impl.waiting import let_go, owned
from tmem.spec import Kind
from tmem.spec.abi.errors import ENODEV, EPERM


class Registry:
    """Tables of pools by client and id. Its lock stands above those of the pools.

    `tables` is read without the lock: a lookup in a dict is one step for the interpreter. An id is given up
    under the lock of its pool too: a thread that holds that lock and finds the pool in its table may go on.
    """

    def __init__(self, room: Room, pam: Pam[Pampd], host: Host | None) -> None:
        self.lock = threading.RLock()
        self.room = room
        self._pam = pam
        self._host = host
        self.tables: dict[int, dict[int, Pool]] = {}
        self._pools: dict[Pool, None] = {}
        """Every pool that is not counted in `_past`."""
        self._past: tuple[Tally, Pool | None] = Tally(), None
        """The counts of all pools that are gone, and the pool that was added last."""
        self._free: dict[int, list[int]] = {}
        """By client the ids that were given up, as a heap; with the ids in its table they are 0, 1, 2, ..."""
        self._shared: dict[int, Pool] = {}
        self._closed = False

    # Joining and leaving

    def join(self, client: int, kind: Kind, uuid: int | None) -> tuple[int, int]:
        """Give a new pool, or the shared one of the UUID, the client's smallest free id; return ⟨id, 0⟩.

        If bytes of room lack, nothing changes: returns ⟨0, how many⟩. EPERM if the shared pool is of another
        kind; ENODEV if the registry is closed.
        """
        error: OSError | None = None
        pool: Pool | None = None
        id = lacking = 0
        try:
            self.lock.acquire()
            pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
            if self._closed:
                error = OSError(ENODEV, "the store is closed")
            elif pool is not None and pool.kind != kind:
                error = OSError(EPERM, f"the pool of UUID {uuid:#x} is {pool.kind}, not {kind}")
            else:
                if pool is None:
                    pool = Pool(kind, uuid if kind.shared else None, self.room, self._pam, self._host)
                lacking = self._admit(pool)
                if not lacking:
                    id = self._enter(client, pool)
            self.lock.release()
        except BaseException:
            self.mend(pool)
            raise
        if error is not None:
            raise error
        return id, lacking

    def _admit(self, pool: Pool) -> int:
        """Count one more user of the pool; if bytes of room lack for it, return how many."""
        room = self.room
        room.lock.acquire()
        lacking = room.lacking(room.used + POOL)
        if not lacking:
            room.pools[pool] = None
            self._pools[pool] = None
            room.charge(pool, POOL)
            pool.users += 1
        room.lock.release()
        return lacking

    def _enter(self, client: int, pool: Pool) -> int:
        """Give the pool an id of the client."""
        if pool.uuid is not None:
            self._shared[pool.uuid] = pool
        table = self.tables.setdefault(client, {})
        free = self._free.get(client)
        id = heappop(free) if free else len(table)
        table[id] = pool
        return id

    def leave(self, client: int, id: int) -> bool:
        """Let the id stand for no pool; if nobody uses the pool any more, end it and give its pages back.

        Returns False if the client has no such pool.
        """
        pool: Pool | None = None
        try:
            self.lock.acquire()
            table = self.tables.get(client, {})
            pool = table.get(id)
            if pool is not None:
                self._part(client, table, id, pool)
            self.lock.release()
            if pool is not None and pool.ended:
                self._finish(pool)
        except BaseException:
            if pool is not None:
                mend_pool(pool)
            self.mend(pool)
            raise
        return pool is not None

    def _part(self, client: int, table: dict[int, Pool], id: int, pool: Pool) -> None:
        """Take the id out of the client's table, and end the pool if this was its last user."""
        pool.lock.acquire()
        del table[id]
        self._dismiss(pool, pool.users - 1)
        pool.lock.release()
        if table:
            heappush(self._free.setdefault(client, []), id)
        else:
            del self.tables[client]
            self._free.pop(client, None)
        if pool.ended and pool.uuid is not None:
            del self._shared[pool.uuid]

    def _dismiss(self, pool: Pool, users: int) -> None:
        """Set the pool's number of users, and end the pool at 0. The caller holds its lock."""
        room = self.room
        room.lock.acquire()
        room.give_back(pool, POOL * (pool.users - users))
        pool.users = users
        room.lock.release()
        if not users:
            pool.end()

    def _finish(self, pool: Pool) -> None:
        """Give back the pages of a pool that has ended, then count it among the past ones."""
        drain_all(pool)
        try:
            self.lock.acquire()
            total, last = self._past
            if pool in self._pools:
                if last is not pool:
                    self._past = total.plus(pool.tally), pool
                del self._pools[pool]
            self.room.lock.acquire()
            self.room.pools.pop(pool, None)
            self.room.lock.release()
            self.lock.release()
        except BaseException:
            mend_room(self.room)
            let_go(self.lock)
            raise

    def close(self) -> list[tuple[int, int]]:
        """Let nobody join any more; return every ⟨client, id⟩ that still stands for a pool."""
        try:
            self.lock.acquire()
            self._closed = True
            left = [(client, id) for client, table in self.tables.items() for id in table]
            self.lock.release()
        except BaseException:
            let_go(self.lock)
            raise
        return left

    # Of all pools

    def tally(self) -> tuple[Tally, int, int]:
        """Return the counts of all pools that are and were, each at one instant; the number of pools; their
        spare bytes.
        """
        pool: Pool | None = None
        spare = 0
        try:
            self.lock.acquire()
            total = self._past[0]
            for pool in self._pools:
                pool.lock.acquire()
                total = total.plus(pool.tally)
                spare += pool.spare
                pool.lock.release()
            count = sum(not pool.ended for pool in self._pools)
            self.lock.release()
        except BaseException:
            if pool is not None:
                let_go(pool.lock)
            let_go(self.lock)
            raise
        return total, count, spare

    def collect(self) -> None:
        """Let all pools give back the room that they took in advance."""
        pool: Pool | None = None
        try:
            self.lock.acquire()
            for pool in self._pools:
                if pool.spare:  # a look without the lock: a pool that takes some now was first
                    pool.lock.acquire()
                    pool.give_room(pool.spare)
                    pool.lock.release()
            self.lock.release()
        except BaseException:
            if pool is not None:
                mend_pool(pool)
            let_go(self.lock)
            raise

    # After an exception, and in a forked child

    def mend(self, pool: Pool | None) -> None:
        """Finish what an exception left half done under the registry's lock, and release that.

        `pool` is the one that was joined or left. The tables are the truth: users, free ids and shared pools
        follow from them, and a pool without users ends.
        """
        try:
            mend_room(self.room)
            if owned(self.lock):
                insist(partial(self._follow_tables, pool))
        finally:
            if pool is not None:
                let_go(pool.lock)
            let_go(self.lock)
        self._finish_all()

    def _follow_tables(self, changed: Pool | None) -> None:
        for client in [client for client, table in self.tables.items() if not table]:
            del self.tables[client]
        users = Counter(pool for table in self.tables.values() for pool in table.values())
        self._shared = {pool.uuid: pool for pool in users if pool.uuid is not None}
        self._free = {
            client: [id for id in range(max(table)) if id not in table]
            for client, table in self.tables.items()
        }
        for each in list(self.room.pools):
            pool = cast(Pool, each)
            if pool is changed or pool.users != users[pool]:
                pool.lock.acquire()
                pool.users = users[pool]
                mend_pool(pool)
                if not pool.users and not pool.ended:
                    pool.lock.acquire()
                    pool.end()
                    pool.lock.release()

    def _finish_all(self) -> None:
        """Give back what was detached from pools that have ended."""
        for each in list(self.room.pools):
            pool = cast(Pool, each)
            if pool.ended:
                self._finish(pool)

    def lock_all(self) -> None:
        """Take every lock there is, before a fork: nobody is in the midst of anything then."""
        self.lock.acquire()
        for pool in self._pools:
            pool.lock.acquire()
        self.room.lock.acquire()

    def unlock_all(self) -> None:
        """Release every lock, after a fork, in the parent."""
        let_go(self.room.lock)
        for pool in self._pools:
            let_go(pool.lock)
        let_go(self.lock)

    def begin_anew(self) -> None:
        """Replace every lock in the child of a fork; free the pages that other threads had detached."""
        self.room.lock = threading.RLock()
        for pool in self._pools:
            pool.lock = threading.RLock()
        self.lock = threading.RLock()
        for pool in list(self._pools):
            drain_all(pool)
        self._finish_all()
