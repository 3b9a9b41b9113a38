"""Room that is short: budgets, hosts and memory that say no, and what reclaim then takes."""

from __future__ import annotations

import os
import time

import pytest
from lz4.block import compress

from tests.impl.audit import audit
from tmem.impl import Lz4, Plain, Store
from tmem.impl.room import POOL
from tmem.spec.abi.errors import EINVAL, ENOMEM
from tmem.spec.abi.flags import PERSIST, SHARED


def pages(count: int) -> list[bytes]:
    """Pages that lz4 cannot shrink."""
    return [os.urandom(4096) for _ in range(count)]


def held(store: Store, pool: int, slots: list[tuple[int, int]]) -> list[bool]:
    return [store.get(1, pool, *slot) is not None for slot in slots]


def test_the_oldest_ephemeral_page_goes_first_across_pools_and_clients():
    store = Store()
    pools = [(client, store.new_pool(client)) for client in (1, 2, 3)]
    slots = [(*pools[n % 3], n % 2, n) for n in range(12)]
    for slot, page in zip(slots, pages(12), strict=True):
        assert store.put(*slot, page)
    assert store.reclaim(5) == 5
    assert [store.get(*slot) is not None for slot in slots] == [False] * 5 + [True] * 7


def test_a_put_over_a_page_and_a_hit_in_a_shared_pool_make_it_the_youngest():
    store = Store()
    pool = store.new_pool(1, SHARED, 7)
    for index in range(6):
        store.put(1, pool, 7, index, bytes(4096))
    store.put(1, pool, 7, 0, os.urandom(4096))
    assert store.get(1, pool, 7, 2) == bytes(4096)
    assert store.reclaim(3) == 3
    assert held(store, pool, [(7, index) for index in range(6)]) == [True, False, True, False, False, True]


@pytest.mark.parametrize("pages_asked", [0, 1, 7, 100, 10**9])
def test_reclaim_takes_what_is_asked_or_all_there_is(pages_asked):
    store = Store()
    cache, swap = store.new_pool(1), store.new_pool(1, PERSIST)
    for index in range(50):
        store.put(1, cache, index % 5, index, bytes(4096))
        store.put(1, swap, index % 5, index, bytes(4096))
    assert store.reclaim(pages_asked) == min(50, pages_asked)
    assert all(held(store, swap, [(index % 5, index) for index in range(50)]))
    audit(store)


def test_under_pressure_ephemeral_pages_make_way_and_persistent_ones_never():
    store = Store(60_000)
    cache, swap = store.new_pool(1), store.new_pool(1, PERSIST)
    for index, page in enumerate(pages(100)):
        assert store.put(1, cache, 7, index, page)
        audit(store)
    stored = [store.put(1, swap, 7, index, page) for index, page in enumerate(pages(100))]
    fit = stored.index(False)
    assert fit >= 12
    assert not any(stored[fit:])
    assert not any(held(store, cache, [(7, index) for index in range(100)]))
    assert held(store, swap, [(7, index) for index in range(100)]) == stored
    assert not store.put(1, cache, 7, 0, pages(1)[0])
    audit(store)


def test_a_pool_is_made_where_ephemeral_pages_can_make_room_for_it():
    store = Store(20_000)
    cache = store.new_pool(1)
    for index, page in enumerate(pages(10)):
        assert store.put(1, cache, 7, index, page)
    before = store.counters().pages
    made = [store.new_pool(2) for _ in range(10)]
    assert made == list(range(10))
    assert store.counters().pages < before
    audit(store)


def test_a_put_that_can_never_fit_lets_nothing_go_for_it():
    store = Store(4096)
    pool = store.new_pool(1)
    assert store.put(1, pool, 7, 0, bytes(4096))
    assert not store.put(1, pool, 8, 0, pages(1)[0])
    assert store.get(1, pool, 7, 0) == bytes(4096)


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_a_failed_put_over_a_page_leaves_nothing(flags):
    store = Store(POOL + 4096)
    pool = store.new_pool(1, flags)
    assert store.put(1, pool, 7, 0, bytes(4096))
    assert not store.put(1, pool, 7, 0, pages(1)[0])
    assert store.get(1, pool, 7, 0) is None
    counts = store.counters()
    assert (counts.puts_failed, counts.pages) == (1, 0)
    assert (counts.pages_reclaimed, counts.duplicates_flushed) == ((0, 1) if flags == PERSIST else (1, 0))
    audit(store)


def test_a_put_over_a_page_reuses_its_room():
    store = Store(POOL + 5_000)
    pool = store.new_pool(1, PERSIST)
    for page in pages(3):
        assert store.put(1, pool, 7, 0, page)
        assert store.get(1, pool, 7, 0) == page


@pytest.mark.parametrize("flags", [0, PERSIST])
@pytest.mark.parametrize("empty", ["flush page", "flush object", "destroy", "get", "reclaim"])
def test_the_room_is_back_however_the_pages_went(flags, empty):
    store = Store(100_000)
    pool = store.new_pool(1, flags)
    start = store.counters().bytes
    fills = []
    for _ in range(3):
        for n, page in enumerate(pages(60)):
            store.put(1, pool, n % 7, n, page)
        fills.append(store.counters().pages)
        for n in range(60):
            if empty == "flush page" or (empty in ("get", "reclaim") and flags == PERSIST):
                store.flush_page(1, pool, n % 7, n)
            elif empty == "flush object":
                store.flush_object(1, pool, n % 7)
            elif empty == "get":
                store.get(1, pool, n % 7, n)
        if empty == "reclaim":
            store.reclaim(1_000)
        if empty == "destroy":
            store.destroy_pool(1, pool)
            assert store.new_pool(1, flags) == pool
        assert store.counters().bytes == start
        audit(store)
    assert len(set(fills)) == 1
    assert fills[0] > 15


def test_a_drained_object_of_many_chunks_gives_all_back():
    store = Store(page_size=64)
    pool, other = store.new_pool(1, PERSIST), store.new_pool(1)
    for index in range(3_000):
        store.put(1, pool, 7, index, b"x" * 64)
        store.put(1, other, index // 2, index, b"y" * 64)
    assert store.flush_object(1, pool, 7)
    assert store.destroy_pool(1, other)
    audit(store)
    assert store.counters().bytes == POOL


def test_what_a_pool_took_in_advance_serves_others_before_a_put_fails():
    store = Store(40_000)
    store._room.advance = 6_000
    one, other = store.new_pool(1, PERSIST), store.new_pool(2, PERSIST)
    slots = [(7, index) for index in range(12)]
    assert store.put(1, one, *slots[0], pages(1)[0])
    assert store._tables[1][one].spare > 4_500
    stored = [store.put(2, other, *slot, page) for slot, page in zip(slots, pages(12), strict=True)]
    assert stored == sorted(stored, reverse=True)
    assert store._room.budget - store._room.used < 4_500, "a page would have fit"
    assert store._tables[1][one].spare == 0
    audit(store)


def test_pools_that_are_flushed_keep_little_in_advance():
    store = Store()
    pool = store.new_pool(1, PERSIST)
    for index, page in enumerate(pages(100)):
        store.put(1, pool, 7, index, page)
    for index in range(100):
        store.flush_page(1, pool, 7, index)
        audit(store)
    assert store.counters().bytes == POOL
    assert store._room.used <= POOL + 2 * store._room.advance
    assert store.destroy_pool(1, pool)
    assert store._room.used == 0


class Refusing:
    """A host that grants a number of allocations, then refuses in its own way, and counts them."""

    def __init__(self, grants: int, error: Exception | None = None) -> None:
        self.grants = grants
        self.error = error or MemoryError()
        self.objects = 0
        self.bytes = 0

    def _ask(self) -> None:
        self.grants -= 1
        if self.grants < 0:
            raise self.error

    def obj_alloc(self) -> None:
        self._ask()
        self.objects += 1

    def obj_free(self) -> None:
        self.objects -= 1

    def page_alloc(self, size: int) -> None:
        self._ask()
        self.bytes += size

    def page_free(self, size: int) -> None:
        self.bytes -= size


@pytest.mark.parametrize("flags", [0, PERSIST])
@pytest.mark.parametrize("grants", range(8))
@pytest.mark.parametrize("error", [MemoryError(), OSError(ENOMEM, "no"), ZeroDivisionError()])
def test_a_host_that_says_no_makes_the_put_fail_and_nothing_stays_behind(flags, grants, error):
    host = Refusing(grants, error)
    store = Store(host=host)
    pool = store.new_pool(1, flags)
    slots = [(7, 0), (7, 1), (8, 0), (7, 0), (8, 1)]
    stored: dict[tuple[int, int], bytes] = {}
    for slot, page in zip(slots, pages(5), strict=True):
        stored.pop(slot, None)
        if isinstance(error, ZeroDivisionError) and host.grants < 1 + (slot[0] not in {s[0] for s in stored}):
            with pytest.raises(ZeroDivisionError):
                store.put(1, pool, *slot, page)
        elif store.put(1, pool, *slot, page):
            stored[slot] = page
        audit(store)
        assert host.objects == len({oid for oid, _ in stored})
        assert host.bytes == sum(len(compress(page)) for page in stored.values())
    assert {slot for slot in slots if store.get(1, pool, *slot) is not None} == set(stored)
    store.close()
    assert (host.objects, host.bytes) == (0, 0)


class Failing(Lz4):
    """A codec that fails on demand."""

    error: Exception | None = None

    def compress(self, page: bytes) -> bytes:
        if self.error is not None:
            raise self.error
        return super().compress(page)


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_a_codec_that_fails_leaves_the_slot_empty(flags):
    codec = Failing(4096)
    store = Store(codec=lambda page_size: codec)
    pool = store.new_pool(1, flags)
    for error in (MemoryError(), OSError(EINVAL, "of the codec"), RuntimeError()):
        codec.error = None
        assert store.put(1, pool, 7, 0, bytes(4096))
        codec.error = error
        if isinstance(error, RuntimeError):
            with pytest.raises(RuntimeError):
                store.put(1, pool, 7, 0, bytes(4096))
        else:
            assert store.put(1, pool, 7, 0, bytes(4096)) is False
        assert store.get(1, pool, 7, 0) is None
    assert store.counters().duplicates_flushed == 3
    audit(store)


class Arena(Plain):
    """A PAM whose memory is its own: a pampd is a ticket, dead once it is freed."""

    def __init__(self, codec) -> None:
        super().__init__(codec)
        self.data: dict[int, bytes] = {}
        self.tickets = 0
        self.size = lambda ticket: 100
        self.create, self.get_data, self.get_data_and_free = self._create, self._get, self._take
        self.create_many = lambda pages: [self.create(page) for page in pages]
        self.get_data_many = lambda tickets: [self.get_data(ticket) for ticket in tickets]
        self.lose = 0

    def _create(self, page: bytes) -> int:
        self.tickets += 1
        self.data[self.tickets] = page
        return self.tickets

    def _get(self, ticket: int) -> bytes | None:
        if self.lose:
            self.lose -= 1
            return None
        return self.data[ticket]

    def _take(self, ticket: int) -> bytes:
        return self.data.pop(ticket)

    def free(self, ticket: int) -> None:
        del self.data[ticket]


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_every_page_of_a_pam_is_freed_just_once(flags):
    arena = Arena(Lz4(4096))
    store = Store(7_000, pam=lambda codec: arena)
    pool = store.new_pool(1, flags)
    for n in range(300):
        store.put(1, pool, n % 5, n % 40, b"%4096d" % n)
        if n % 3 == 0:
            store.get(1, pool, n % 7, n % 39)
        if n % 31 == 0:
            store.flush_object(1, pool, n % 5)
        if n % 7 == 0:
            store.flush_page(1, pool, n % 5, n % 40)
        assert len(arena.data) == store.counters().pages
    assert store.counters().puts_failed or store.counters().pages_reclaimed
    store.close()
    assert not arena.data


def test_a_page_that_a_pam_lost_to_a_race_is_looked_up_again():
    arena = Arena(Lz4(4096))
    store = Store(pam=lambda codec: arena)
    pool = store.new_pool(1, PERSIST)
    store.put(1, pool, 7, 3, bytes(4096))
    arena.lose = 3
    assert store.get(1, pool, 7, 3) == bytes(4096)


def test_memory_that_is_short_for_a_copy_is_enomem_and_keeps_the_page():
    arena = Arena(Lz4(4096))
    store = Store(pam=lambda codec: arena)
    pool = store.new_pool(1, PERSIST)
    store.put(1, pool, 7, 3, bytes(4096))

    def short(ticket):
        raise MemoryError

    arena.get_data, real = short, arena.get_data
    with pytest.raises(OSError, match="no memory") as caught:
        store.get(1, pool, 7, 3)
    assert caught.value.errno == ENOMEM
    arena.get_data = real
    assert store.get(1, pool, 7, 3) == bytes(4096)


def eventually(true) -> bool:
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.001)
    return true()


def test_the_background_reclaimer_keeps_room_free():
    store = Store(200_000, keep_free=100_000)
    pool = store.new_pool(1)
    for index, page in enumerate(pages(40)):
        assert store.put(1, pool, 7, index, page)
    assert eventually(lambda: store.counters().bytes <= 100_000)
    counts = store.counters()
    assert counts.pages_reclaimed > 0
    assert held(store, pool, [(7, index) for index in range(40)]) == sorted(
        [False] * counts.pages_reclaimed + [True] * counts.pages
    )
    store.close()
    audit(store)


def test_the_background_reclaimer_leaves_persistent_pages_and_ends_with_the_store():
    store = Store(200_000, keep_free=150_000)
    swap = store.new_pool(1, PERSIST)
    for index, page in enumerate(pages(30)):
        assert store.put(1, swap, 7, index, page)
    thread = store._background._runner
    assert thread.is_alive()
    assert all(held(store, swap, [(7, index) for index in range(30)]))
    store.close()
    assert not thread.is_alive()
