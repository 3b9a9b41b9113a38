"""The store: the operations of tmem over pools of compressed pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Final, cast

from tmem.impl.arguments import asked_kind, asked_pages, bad_handle, bad_page, copied, no_memory, no_pool
from tmem.impl.background import Background
from tmem.impl.codec import Codec, Lz4
from tmem.impl.counters import Counters
from tmem.impl.drain import drain
from tmem.impl.hosts import Host, Hosted
from tmem.impl.many import Slot, Way, asked_puts, check_slots, get_many, put_many
from tmem.impl.order import Order
from tmem.impl.pam import Pam, Pampd
from tmem.impl.pam.plain import Plain
from tmem.impl.pool import Pool
from tmem.impl.reclaim import reclaim
from tmem.impl.registry import Registry
from tmem.impl.room import POOL, UNLIMITED, Room
from tmem.impl.waiting import take
from tmem.spec.abi.errors import ENOMEM
from tmem.spec.abi.flags import compose
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS

ROUNDS: Final = 8
"""Times that a put makes room, only to find it taken by others, before it fails."""
AHEAD = 256
"""The part of the budget that is freed beyond need, so that not every put has to make room."""
AHEAD_PAGES = 8
"""What is freed beyond need at most, as pages that are not compressed: who frees more waits too long."""


class Store:
    """A compressed page store behind the tmem API; all methods may be called from any thread.

    `budget` is in bytes, overhead included; None sets no limit. `codec` is called with the page size, and
    `pam` with the codec. `keep_free` bytes of the budget are kept free by a thread of the store's own.
    Bad arguments raise OSError with EINVAL, or TypeError; a pool that is not there ENODEV.

    >>> from tmem.spec.abi.flags import PERSIST
    >>> store = Store(budget=1 << 20)
    >>> cache, swap = store.new_pool(client=1), store.new_pool(client=1, flags=PERSIST)
    >>> [store.put(1, pool, oid=7, index=3, page=b"page" * 1024) for pool in (cache, swap)]
    [True, True]
    >>> store.reclaim(10), store.get(1, cache, oid=7, index=3), store.get(1, swap, oid=7, index=3)[:8]
    (1, None, b'pagepage')
    >>> store.counters().pages, store.counters().pages_reclaimed
    (1, 1)
    >>> store.close()
    """

    claims: ClassVar[frozenset[str]] = frozenset({"retain", "reclaim-bound", "regain", "atomic-flush", "lru"})

    def __init__(
        self,
        budget: int | None = None,
        *,
        page_size: int = 4096,
        codec: Callable[[int], Codec] = Lz4,
        pam: Callable[[Codec], Pam[Any]] = Plain,
        host: Host | None = None,
        keep_free: int = 0,
    ) -> None:
        if page_size < 1:
            raise ValueError(f"page_size is {page_size}: a page has at least 1 byte")
        if budget is not None and budget < 0:
            raise ValueError(f"budget is {budget}: give 0 or more bytes, or None for no limit")
        if not 0 <= keep_free <= (budget or 0):
            raise ValueError(f"keep_free is {keep_free}: it must lie within the budget, {budget}")
        self.page_size = page_size
        self.budget = budget
        self._room = Room(budget)
        self._ahead = min((budget or 0) // AHEAD, AHEAD_PAGES * page_size)
        bare = cast("Pam[Pampd]", pam(codec(page_size)))
        self._pam = bare if host is None else Hosted(bare, host)
        self._registry = Registry(partial(Pool, room=self._room, pam=self._pam, host=host))
        self._tables = self._registry.tables
        self._background = Background(self._room, keep_free) if keep_free else None

    # Pools

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool, or join the shared one of the UUID; the client's smallest free id.

        EPERM: flags that are not taken, or a shared pool of another kind; ENOMEM: no room [X].
        """
        kind = asked_kind(client, flags, uuid, self.page_size)
        if not self._charge(POOL):
            raise OSError(ENOMEM, "no room for a pool")
        try:
            return self._registry.join(client, kind, uuid)
        except BaseException:
            self._charge(-POOL)
            raise

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client, at one instant; False where there is none.

        The pages of a pool that nobody uses any more are given back before this returns.
        """
        left = self._registry.leave(client, pool)
        if left is None:
            return False
        drain(*left)
        self._charge(-POOL)
        return True

    def pool_flags(self, client: int, pool: int) -> int:
        """The flags that the pool really has: shared only where others can join it."""
        kind = self._find(client, pool, 0, 0)[1].kind
        return compose(persistent=kind.persistent, shared=kind.shared, page_size=self.page_size)

    # Pages

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in. False where there is no room for it, and then the slot holds nothing.

        What a hook raises that is neither MemoryError nor OSError is passed on, after the same.
        """
        try:  # `_find`, written out: a call less is 5 % of a get
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
            table = self._tables[client]
            owner = table[pool]
        except KeyError:
            raise no_pool(client, pool) from None
        except TypeError:
            raise bad_handle(oid, index) from None
        if type(page) is not bytes:
            page = copied(page)
        if len(page) != self.page_size:
            raise bad_page(page, self.page_size)
        pampd = None
        try:
            pampd = self._pam.create(page)
            rounds = ROUNDS
            while rounds:
                rounds -= 1
                if not owner.lock.acquire(False):
                    take(owner.lock)
                try:
                    if table.get(pool) is not owner:
                        raise no_pool(client, pool)
                    lacking = owner.store(oid, index, pampd)
                finally:
                    owner.lock.release()
                if not lacking:
                    return True
                if not self._make_room(lacking):
                    break
        except (MemoryError, OSError):
            pass
        except Exception:
            self._fail(table, owner, client, pool, oid, index, pampd)
            raise
        self._fail(table, owner, client, pool, oid, index, pampd)
        return False

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; None for a miss. A private ephemeral hit removes the page."""
        try:  # `_find`, written out: a call less is 5 % of a get
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
            table = self._tables[client]
            owner = table[pool]
        except KeyError:
            raise no_pool(client, pool) from None
        except TypeError:
            raise bad_handle(oid, index) from None
        # A persistent page is found without a lock: no reclaimer takes it, and of the puts and flushes that
        # come between these looks this get was first. The last look sees that the client never left.
        obj = owner.objects.get(oid) if owner.unlocked else None
        pampd = None if obj is None else obj.pages.get(index)
        if pampd is not None and table.get(pool) is owner:
            try:
                page = self._pam.get_data(pampd)
            except MemoryError:
                raise no_memory() from None
            if page is not None:
                owner.tally.hits += 1
                return page  # else it was freed meanwhile: look again
        while True:
            if not owner.lock.acquire(False):
                take(owner.lock)
            try:
                if table.get(pool) is not owner:
                    raise no_pool(client, pool)
                pampd = owner.get(oid, index)
            finally:
                owner.lock.release()
            if pampd is None:
                return None
            try:
                if owner.exclusive:
                    return self._pam.get_data_and_free(pampd)
                page = self._pam.get_data(pampd)
            except MemoryError:
                raise no_memory() from None
            if page is not None:
                return page  # else it was freed meanwhile: look again

    def put_many(
        self, client: int, pool: int, slots: Sequence[Slot], pages: Sequence[bytes | bytearray | memoryview]
    ) -> list[bool]:
        """Copy many pages in, the nth to the nth ⟨object id, index⟩; for each what its put answers.

        Each page is a put of its own, in order, at an instant of its own: the whole is not atomic. Bad
        arguments are refused before anything changes. Another error is that of one put: those before it
        are done, and those after it are not.
        """
        table, owner = self._find(client, pool, 0, 0)
        kept = asked_puts(slots, pages, self.page_size)
        return put_many(Way(client, pool, owner, table), slots, kept, self.put)

    def get_many(self, client: int, pool: int, slots: Sequence[Slot]) -> Sequence[bytes | None]:
        """Copy many pages out, that of the nth ⟨object id, index⟩ as the nth; None for each miss.

        Each is a get of its own, in order, at an instant of its own. Bad arguments are refused before
        anything changes. On another error the pages that exclusive hits took are gone.
        """
        table, owner = self._find(client, pool, 0, 0)
        if not owner.unlocked:
            check_slots(slots)
        return get_many(Way(client, pool, owner, table), slots, self.get)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Let the slot hold nothing; whether it held a page."""
        table, owner = self._find(client, pool, oid, index)
        if not owner.lock.acquire(False):
            take(owner.lock)
        try:
            if table.get(pool) is not owner:
                raise no_pool(client, pool)
            return owner.flush(oid, index)
        finally:
            owner.lock.release()

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Let no slot of the object hold a page, from one instant on; whether one did."""
        table, owner = self._find(client, pool, oid, 0)
        with owner.lock:
            if table.get(pool) is not owner:
                raise no_pool(client, pool)
            obj = owner.detach(oid)
        if obj is None:
            return False
        drain(owner, {oid: obj})
        return True

    # The whole

    def reclaim(self, pages: int) -> int:
        """Let go of up to `pages` ephemeral pages, oldest first; how many went."""
        return reclaim(self._room, asked_pages(pages)).pages

    def counters(self) -> Counters:
        """What happened so far, and what the store holds."""
        total, pools, spare = self._registry.tally()
        with self._room.lock:
            return Counters.of(total, pools, max(0, self._room.used - spare), self.budget)

    def close(self) -> None:
        """Stop the background reclaimer and end all pools; none can be made any more."""
        if self._background is not None:
            self._background.stop()
        for client, pool in self._registry.close():
            self.destroy_pool(client, pool)
        with self._room.lock:
            self._room.order = Order()  # what is left in it are stale entries, and they hold the pools

    # Steps

    def _find(self, client: int, pool: int, oid: int, index: int) -> tuple[dict[int, Pool], Pool]:
        """The client's table and the pool of that id; it may leave the table until its lock is held."""
        try:
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
            table = self._tables[client]
            return table, table[pool]
        except KeyError:
            raise no_pool(client, pool) from None
        except TypeError:
            raise bad_handle(oid, index) from None

    def _fail(
        self,
        table: dict[int, Pool],
        owner: Pool,
        client: int,
        pool: int,
        oid: int,
        index: int,
        pampd: Pampd | None,
    ) -> None:
        """A put failed: neither its page nor the old one is ever seen. ENODEV where the pool has ended."""
        if pampd is not None:
            self._pam.free(pampd)
        with owner.lock:
            if table.get(pool) is not owner:
                raise no_pool(client, pool)
            owner.fail(oid, index)

    def _charge(self, cost: int) -> bool:
        """Take room, making some where that is lacking; or give room back, where `cost` is negative."""
        for _ in range(ROUNDS):
            with self._room.lock:
                lacking = self._room.charge(cost)
            if not lacking:
                return True
            if not self._make_room(lacking):
                return False
        return False

    def _make_room(self, lacking: int) -> bool:
        """Reclaim so many bytes, and a little for the next puts; False where there are not so many."""
        room = self._room
        if lacking > room.used:  # it would not fit an empty store: let nothing go for it
            return False
        if reclaim(room, UNLIMITED, lacking + self._ahead).bytes >= lacking:
            return True
        before = room.used
        self._registry.collect()
        return room.used < before
