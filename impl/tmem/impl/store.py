"""The store: the operations of tmem over pools of compressed pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from tmem.impl.arguments import asked_kind, asked_pages, bad_handle, bad_page, copied, no_memory, no_pool
from tmem.impl.background import Background
from tmem.impl.codec import Codec, Lz4
from tmem.impl.counters import Counters
from tmem.impl.drain import drain, drain_all
from tmem.impl.hosts import Host, Hosted
from tmem.impl.lifetime import AtFork, Token
from tmem.impl.many import Slot, Way, asked_puts, check_slots, get_many, put_many
from tmem.impl.mend import mend_pool, mend_room
from tmem.impl.options import check_host, check_sizes, made_pam
from tmem.impl.order import Order
from tmem.impl.pam import Pam, Pampd
from tmem.impl.pam.plain import Plain
from tmem.impl.pool import Object, Pool
from tmem.impl.reclaim import reclaim
from tmem.impl.registry import Registry
from tmem.impl.room import UNLIMITED, Room
from tmem.impl.waiting import owned, take
from tmem.spec.abi.errors import ENOMEM
from tmem.spec.abi.flags import compose
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS

ROUNDS: Final = 8
"""Times that an operation makes room, and finds it taken by others, before it fails."""
AHEAD = 256
"""The part of the budget that is freed beyond need, so that not every put has to make room."""
AHEAD_PAGES = 8
"""The most that is freed beyond need, in pages that are not compressed: to free more takes too long."""


class Store:
    """A compressed page store behind the tmem API; all methods may be called from any thread.

    `budget` is in bytes, overhead included; None sets no limit. `codec` is called with the page size, and
    `pam` with the codec. A thread of the store keeps `keep_free` bytes of the budget free. A persistent pool
    takes room for `advance` bytes at a time; None takes a small part of the budget.

    The constructor raises TypeError or ValueError for an argument that cannot be. Operations raise TypeError,
    or OSError with EINVAL, for bad arguments, and ENODEV for a pool that is not there.

    Use the store as a context manager, or `close` it. A forked child has a store of its own with the pages
    that were there. What an exception in the midst of a call, as by Ctrl-C, leaves in a slot is the old page,
    the new one, or nothing.

    >>> from tmem.spec.abi.flags import PERSIST
    >>> with Store(budget=1 << 20) as store:
    ...     cache, swap = store.new_pool(client=1), store.new_pool(client=1, flags=PERSIST)
    ...     [store.put(1, pool, oid=7, index=3, page=b"page" * 1024) for pool in (cache, swap)]
    ...     store.reclaim(10), store.get(1, cache, oid=7, index=3), store.get(1, swap, oid=7, index=3)[:8]
    ...     store.counters().pages, store.counters().pages_reclaimed
    [True, True]
    (1, None, b'pagepage')
    (1, 1)
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
        advance: int | None = None,
    ) -> None:
        check_sizes(budget, page_size, keep_free, advance)
        check_host(host)
        self.page_size = page_size
        self.budget = budget
        self._room = Room(budget, advance)
        self._ahead = min((budget or 0) // AHEAD, AHEAD_PAGES * page_size)
        bare = made_pam(page_size, codec, pam)
        self._pam: Pam[Pampd] = bare if host is None else Hosted(bare, host)
        self._registry = Registry(self._room, self._pam, host)
        self._tables = self._registry.tables
        self._background = Background(self._room, keep_free) if keep_free else None
        self._token = _token(self._registry, self._background)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Pools

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool, or join the shared one of the UUID; return the client's smallest free id.

        Without flags the pool is private and ephemeral. Flags name the page size of the store in bits 4-7,
        as `tmem.spec.abi.flags.compose(page_size=...)` makes them; for pages of 4096 bytes these bits are 0.
        EPERM: flags that are not taken, or a shared pool of another kind. ENOMEM: no room [X].
        """
        kind = asked_kind(client, flags, uuid, self.page_size)
        for _ in range(ROUNDS):
            id, lacking = self._registry.join(client, kind, uuid)
            if not lacking:
                return id
            if not self._make_room(lacking):
                break
        raise OSError(ENOMEM, "no room for a pool")

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client, at one instant; return False if there is none.

        The pages of a pool that nobody uses any more are given back before this returns.
        """
        return self._registry.leave(client, pool)

    def pool_flags(self, client: int, pool: int) -> int:
        """Return the flags that the pool really has: shared only if others can join it."""
        kind = self._find(client, pool, 0, 0)[1].kind
        return compose(persistent=kind.persistent, shared=kind.shared, page_size=self.page_size)

    # Pages

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in; return False if there is no room for it, and then the slot holds nothing.

        An exception of a hook that is neither MemoryError nor OSError is passed on; the slot holds nothing.
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
        lacking = 1
        try:
            pampd = self._pam.create(page)
            for _ in range(ROUNDS):
                try:
                    if not owner.lock.acquire(False):
                        take(owner.lock)
                    there = table.get(pool) is owner
                    if there:
                        lacking = owner.store(oid, index, pampd)
                    owner.lock.release()
                except BaseException:
                    if owned(owner.lock) and owner.peek(oid, index) is pampd:
                        lacking = 0
                    mend_pool(owner)
                    raise
                if not there:
                    raise no_pool(client, pool)
                if not lacking:
                    return True
                if lacking < 0 or not self._make_room(lacking):
                    break
        except (MemoryError, OSError):
            pass
        except Exception:
            self._fail(table, owner, client, pool, oid, index, pampd if lacking else None)
            raise
        except BaseException:  # an interruption: the slot may keep what it has
            if lacking and pampd is not None:
                self._pam.free(pampd)
            raise
        self._fail(table, owner, client, pool, oid, index, pampd if lacking else None)
        return False

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; return None for a miss. A hit in a private ephemeral pool removes the page."""
        try:  # `_find`, written out: a call less is 5 % of a get
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
            table = self._tables[client]
            owner = table[pool]
        except KeyError:
            raise no_pool(client, pool) from None
        except TypeError:
            raise bad_handle(oid, index) from None
        # A private persistent page is found without a lock. No reclaimer takes it, and this get counts as
        # earlier than a put or flush between these looks. The last look sees that the client never left.
        obj = owner.objects.get(oid) if owner.unlocked else None
        pampd = None if obj is None else obj.pages.get(index)
        if pampd is not None and table.get(pool) is owner:
            try:
                page = self._pam.get_data(pampd)
            except MemoryError:
                raise no_memory() from None
            if page is not None:
                owner.tally.hits += 1
                return page  # otherwise it was freed meanwhile: look again
        while True:
            try:
                if not owner.lock.acquire(False):
                    take(owner.lock)
                there = table.get(pool) is owner
                pampd = owner.get(oid, index) if there else None
                owner.lock.release()
            except BaseException:
                mend_pool(owner)
                raise
            if not there:
                raise no_pool(client, pool)
            if pampd is None:
                return None
            try:
                if owner.exclusive:
                    return self._pam.get_data_and_free(pampd)
                page = self._pam.get_data(pampd)
            except MemoryError:
                raise no_memory() from None
            if page is not None:
                return page  # otherwise it was freed meanwhile: look again

    def put_many(
        self, client: int, pool: int, slots: Sequence[Slot], pages: Sequence[bytes | bytearray | memoryview]
    ) -> list[bool]:
        """Copy many pages in, the nth to the nth ⟨object id, index⟩; return for each what its put answers.

        Each page is a put of its own, in order, at an instant of its own: the whole is not atomic. Bad
        arguments are refused before anything changes. Any other error is that of one put: the puts before it
        are done, and those after it are not.
        """
        table, owner = self._find(client, pool, 0, 0)
        kept = asked_puts(slots, pages, self.page_size)
        return put_many(Way(client, pool, owner, table), slots, kept, self.put)

    def get_many(self, client: int, pool: int, slots: Sequence[Slot]) -> Sequence[bytes | None]:
        """Copy many pages out; return the page of the nth ⟨object id, index⟩ as the nth, or None for a miss.

        Each page is a get of its own, in order, at an instant of its own. Bad arguments are refused before
        anything changes. On any other error, the pages that exclusive hits took are gone.
        """
        table, owner = self._find(client, pool, 0, 0)
        if not owner.unlocked:
            check_slots(slots)
        return get_many(Way(client, pool, owner, table), slots, self.get)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Let the slot hold nothing; return whether it held a page."""
        table, owner = self._find(client, pool, oid, index)
        found = False
        try:
            if not owner.lock.acquire(False):
                take(owner.lock)
            there = table.get(pool) is owner
            if there:
                found = owner.flush(oid, index)
            owner.lock.release()
        except BaseException:
            mend_pool(owner)
            raise
        if not there:
            raise no_pool(client, pool)
        return found

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Let no slot of the object hold a page, from one instant on; return whether one did."""
        table, owner = self._find(client, pool, oid, 0)
        detached: dict[int, Object] = {}
        try:
            owner.lock.acquire()
            there = table.get(pool) is owner
            if there:
                detached = owner.detach(oid)
            owner.lock.release()
            found = bool(detached)
            drain(owner, detached)
        except BaseException:
            mend_pool(owner)
            drain_all(owner)
            raise
        if not there:
            raise no_pool(client, pool)
        return found

    # The whole

    def reclaim(self, pages: int) -> int:
        """Reclaim up to `pages` ephemeral pages, oldest first; return how many went."""
        return reclaim(self._room, asked_pages(pages)).pages

    def counters(self) -> Counters:
        """Return what happened so far, and what the store holds."""
        total, pools, spare = self._registry.tally()
        return Counters.of(total, pools, max(0, self._room.used - spare), self.budget)

    def close(self) -> None:
        """Stop the background reclaimer and end all pools; none can be made any more."""
        if self._background is not None:
            self._background.stop()
        for client, pool in self._registry.close():
            self.destroy_pool(client, pool)
        room = self._room
        try:
            room.lock.acquire()
            room.order = Order()  # what is left in it are stale entries, and they hold the pools
            room.lock.release()
        except BaseException:
            mend_room(room)
            raise

    # Steps

    def _find(self, client: int, pool: int, oid: int, index: int) -> tuple[dict[int, Pool], Pool]:
        """Return the client's table and the pool of that id, which may leave the table until it is locked."""
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
        """Let neither the page of a put that failed nor the old one be seen; ENODEV if the pool has ended."""
        if pampd is not None:
            self._pam.free(pampd)
        try:
            owner.lock.acquire()
            there = table.get(pool) is owner
            if there:
                owner.fail(oid, index)
            owner.lock.release()
        except BaseException:
            mend_pool(owner)
            raise
        if not there:
            raise no_pool(client, pool)

    def _make_room(self, lacking: int) -> bool:
        """Reclaim this many bytes, and some for the next puts; return False if there are fewer."""
        room = self._room
        if lacking > room.used:  # it would not fit an empty store: let nothing go for it
            return False
        if reclaim(room, UNLIMITED, lacking + self._ahead).bytes >= lacking:
            return True
        before = room.used
        self._registry.collect()
        return room.used < before


def _token(registry: Registry, background: Background | None) -> Token:
    """Make the token by which a store's parts learn that it was dropped, or that the process forked."""

    def begin_anew() -> None:
        registry.begin_anew()
        if background is not None:
            background.start()

    def dropped() -> None:
        if background is not None:
            background.ask_to_stop()

    return Token(AtFork(registry.lock_all, registry.unlock_all, begin_anew), dropped)
