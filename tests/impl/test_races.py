"""Races, one at a time: what happens between two steps of an operation is done there on purpose."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from tests.impl.audit import audit
from tests.impl.held import held
from tmem.conformance.schedules.explore import open_subject
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Exploration, Search
from tmem.conformance.schedules.threaded.program import Program, number
from tmem.impl import Lz4, Store
from tmem.impl.many import Way, get_many
from tmem.impl.order import Order
from tmem.impl.pam import Pampd
from tmem.impl.pool import Pool
from tmem.impl.reclaim import BATCH, strike
from tmem.impl.store import ROUNDS
from tmem.impl.waiting import owned
from tmem.spec.abi.errors import ENODEV
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushPage, Get, NewPool, Put

OLD, NEW, OTHER = (tag * 4096 for tag in (b"o", b"n", b"x"))
KINDS = [(0, None), (PERSIST, None), (SHARED, 7), (PERSIST | SHARED, 7)]


class Striking(Lz4):
    """A codec in which something happens once: while a put compresses, or a get decompresses."""

    def __init__(self, page_size: int) -> None:
        super().__init__(page_size)
        self.strike: Callable[[], object] | None = None

    def _strike(self) -> None:
        strike, self.strike = self.strike, None
        if strike is not None:
            strike()

    def compress(self, page: bytes) -> bytes:
        self._strike()
        return super().compress(page)

    def decompress(self, data: bytes) -> bytes:
        self._strike()
        return super().decompress(data)


@pytest.fixture
def codec() -> Striking:
    return Striking(4096)


@pytest.fixture
def store(codec):
    made = Store(codec=lambda page_size: codec)
    yield made
    audit(made)
    made.close()
    assert made.counters().bytes == 0


def raises_enodev(call) -> None:
    with pytest.raises(OSError, match="has no pool") as caught:
        call()
    assert caught.value.errno == ENODEV


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_a_put_into_a_pool_that_ends_meanwhile_leaves_no_page(store, codec, flags, uuid):
    pool = store.new_pool(1, flags, uuid)
    store.put(1, pool, 7, 3, OLD)
    codec.strike = lambda: store.destroy_pool(1, pool)
    raises_enodev(lambda: store.put(1, pool, 7, 3, NEW))
    assert store.counters().bytes == 0


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_a_put_does_not_land_in_the_next_pool_of_the_id(store, codec, flags, uuid):
    pool = store.new_pool(1, flags, uuid)

    def again():
        store.destroy_pool(1, pool)
        assert store.new_pool(1, flags, uuid) == pool
        assert store.put(1, pool, 7, 3, OTHER)

    codec.strike = again
    raises_enodev(lambda: store.put(1, pool, 7, 3, NEW))
    assert store.get(1, pool, 7, 3) == OTHER


@pytest.mark.parametrize("flags", [SHARED, PERSIST | SHARED])
def test_a_client_that_left_a_shared_pool_puts_nothing_there(store, codec, flags):
    mine, yours = store.new_pool(1, flags, 7), store.new_pool(2, flags, 7)
    store.put(2, yours, 7, 3, OLD)
    codec.strike = lambda: store.destroy_pool(1, mine)
    raises_enodev(lambda: store.put(1, mine, 7, 3, NEW))
    assert store.get(2, yours, 7, 3) == OLD


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_a_put_that_fails_while_its_pool_ends_is_enodev(codec, flags, uuid):
    store = Store(3_000, codec=lambda page_size: codec)
    pool = store.new_pool(1, flags, uuid)
    codec.strike = lambda: store.destroy_pool(1, pool)
    raises_enodev(lambda: store.put(1, pool, 7, 3, bytes(range(256)) * 16))
    assert store.counters().bytes == 0


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
@pytest.mark.parametrize("meanwhile", ["flush_page", "flush_object", "put", "destroy_pool", "reclaim"])
def test_a_hit_that_is_under_way_returns_its_page_whatever_comes(store, codec, flags, uuid, meanwhile):
    pool = store.new_pool(1, flags, uuid)
    store.put(1, pool, 7, 3, OLD)
    store.put(1, pool, 7, 4, OTHER)
    arguments = {
        "flush_page": (1, pool, 7, 3),
        "flush_object": (1, pool, 7),
        "put": (1, pool, 7, 3, NEW),
        "destroy_pool": (1, pool),
        "reclaim": (10,),
    }[meanwhile]
    codec.strike = lambda: getattr(store, meanwhile)(*arguments)
    assert store.get(1, pool, 7, 3) == OLD


@pytest.mark.parametrize("meanwhile", ["flush_page", "flush_object", "reclaim", "get"])
def test_a_put_that_is_under_way_stores_its_page_whatever_goes(store, codec, meanwhile):
    pool = store.new_pool(1)
    store.put(1, pool, 7, 3, OLD)
    arguments = {
        "flush_page": (1, pool, 7, 3),
        "flush_object": (1, pool, 7),
        "reclaim": (1,),
        "get": (1, pool, 7, 3),
    }[meanwhile]
    codec.strike = lambda: getattr(store, meanwhile)(*arguments)
    assert store.put(1, pool, 7, 3, NEW)
    audit(store)
    assert store.get(1, pool, 7, 3) == NEW


def test_the_reclaimer_passes_a_busy_pool_over_and_keeps_its_pages_in_their_place():
    store = Store()
    busy, idle = store.new_pool(1), store.new_pool(1)
    for index in range(4):
        store.put(1, busy, 7, index, OLD)
        store.put(1, idle, 7, index, OTHER)
    with held(store._tables[1][busy].lock):
        struck = strike(store._room, 2, 1 << 30)
        assert (struck.pages, struck.busy) == (2, store._tables[1][busy])
    audit(store)
    assert store.reclaim(3) == 3
    assert [store.get(1, busy, 7, index) is None for index in range(4)] == [True] * 3 + [False]
    assert [store.get(1, idle, 7, index) is None for index in range(4)] == [True, True, False, False]


def test_a_batch_is_bounded_however_many_pages_are_busy():
    store = Store()
    pool = store.new_pool(1)
    for index in range(10 * BATCH):
        store.put(1, pool, 7, index, OLD)
    with held(store._tables[1][pool].lock):
        assert strike(store._room, 1, 1 << 30).looked == BATCH
    audit(store)


def test_reclaim_waits_for_a_busy_pool_where_there_is_no_other():
    store = Store()
    pool = store.new_pool(1)
    store.put(1, pool, 7, 3, OLD)
    gone: list[int] = []
    worker = threading.Thread(target=lambda: gone.append(store.reclaim(1)))
    with held(store._tables[1][pool].lock):
        worker.start()
        worker.join(0.05)
        assert worker.is_alive()
        assert not gone
    worker.join(5)
    assert gone == [1]
    audit(store)


def waits(lock: threading.RLock, call: Callable[[], object]) -> bool:
    """Return whether a call waits for a lock that is held, and ends when the lock is released."""
    worker = threading.Thread(target=call)
    with held(lock):
        worker.start()
        worker.join(0.05)
        waited = worker.is_alive()
    worker.join(5)
    return waited and not worker.is_alive()


def test_room_taken_in_advance_is_collected_under_the_lock_of_the_pool():
    store = Store(1 << 30)
    pool = store.new_pool(1, PERSIST)
    store.put(1, pool, 7, 3, OLD)
    owner = store._tables[1][pool]
    assert owner.spare > 0
    assert waits(owner.lock, store._registry.collect)
    assert owner.spare == 0
    audit(store)


def test_a_pool_is_charged_under_the_lock_of_the_room():
    store = Store()
    assert waits(store._room.lock, lambda: store.new_pool(1))
    audit(store)


class Watched(Order):
    """A reclaim order that may only be touched under the lock of its room."""

    __slots__ = ("lock",)

    def __init__(self, lock: threading.RLock) -> None:
        object.__setattr__(self, "lock", lock)
        super().__init__()

    def __getattribute__(self, name: str) -> object:
        if name != "__init__" and not owned(object.__getattribute__(self, "lock")):
            raise AssertionError(f"{name} without the lock of the room")
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("persistent", [False, True])
def test_the_reclaim_order_is_only_touched_under_the_lock_of_the_room(persistent):
    store = Store(300_000)
    with store._room.lock:
        store._room.order = Watched(store._room.lock)
    swept = 0
    for _ in range(3):
        pool = store.new_pool(1, PERSIST if persistent else 0)
        for index in range(300):
            store.put(1, pool, index % 5, index, OLD)
        for index in range(100):
            store.get(1, pool, index % 5, index)
            store.flush_page(1, pool, index % 5, 100 + index)
            with store._room.lock:
                swept += store._room.order._sweeping
        store.flush_object(1, pool, 1)
        store.reclaim(10)
        for index in range(80):
            store.put(1, pool, 9, index, os.urandom(4096))
        store.destroy_pool(1, pool)
    assert (swept > 0) != persistent
    assert store.counters().pages == 0
    store.close()


def test_a_put_whose_room_others_take_again_and_again_fails_in_the_end(monkeypatch):
    store = Store(9_000)
    swap = store.new_pool(1, PERSIST)
    page = os.urandom(4096)
    assert store.put(1, swap, 7, 3, page)
    rounds: list[int] = []

    def robbed(self, lacking):
        rounds.append(lacking)
        return True

    monkeypatch.setattr(Store, "_make_room", robbed)
    assert store.put(1, swap, 7, 4, page) is False
    assert len(rounds) == ROUNDS
    assert store.get(1, swap, 7, 3) == page
    audit(store)


class Leaving(dict[int, Pampd]):
    """The pages of an object, in which something happens as soon as one was looked up."""

    def __init__(self, pages: dict[int, Pampd], then: Callable[[], object]) -> None:
        super().__init__(pages)
        self.then = then

    def get(self, key, default=None):
        found = super().get(key, default)
        self.then()
        return found


def test_a_get_whose_pool_ends_while_it_looks_for_its_page_finds_no_pool(store):
    pool = store.new_pool(1, PERSIST)
    store.put(1, pool, 7, 3, OLD)
    obj = store._tables[1][pool].objects[7]
    obj.pages = Leaving(obj.pages, lambda: store.destroy_pool(1, pool))
    raises_enodev(lambda: store.get(1, pool, 7, 3))


@pytest.mark.parametrize("flags", [SHARED, PERSIST | SHARED])
def test_gets_of_many_by_a_client_that_left_meanwhile_find_no_pool(store, flags):
    mine, yours = store.new_pool(1, flags, 7), store.new_pool(2, flags, 7)
    store.put(2, yours, 7, 3, OLD)
    table, owner = store._find(1, mine, 0, 0)
    store.destroy_pool(1, mine)
    raises_enodev(lambda: get_many(Way(1, mine, owner, table), [(7, 3), (7, 4)], store.get))
    assert store.get(2, yours, 7, 3) == OLD


class Blind(dict[int, Pool]):
    """A client's table whose second look shows what the first one found."""

    def __init__(self, table: dict[int, Pool]) -> None:
        super().__init__(table)
        self.then = dict(table)

    def get(self, key, default=None):
        return self.then[key]


def test_without_the_second_look_a_put_lands_in_a_pool_that_its_client_left(codec):
    store = Store(codec=lambda page_size: codec)
    mine, yours = store.new_pool(1, SHARED, 7), store.new_pool(2, SHARED, 7)
    store._tables[1] = Blind(store._tables[1])
    codec.strike = lambda: store.destroy_pool(1, mine)
    assert store.put(1, mine, 7, 3, NEW)  # so the tests above can fail
    assert store.get(2, yours, 7, 3) == NEW


def test_pools_give_their_room_back_in_the_same_order_every_time():
    """A schedule can be repeated only where nothing depends on where objects lie in memory."""
    store = Store()
    for client in range(1, 40):
        store.new_pool(client)
        store.new_pool(client, SHARED, 0xA)
    tables = store._registry.tables
    in_order = [tables[1][0], tables[1][1], *(tables[client][0] for client in range(2, 40))]
    assert list(store._registry._pools) == in_order


REJOINS = Program(
    (
        NewPool(1, 0),
        NewPool(1, PERSIST | SHARED, 7),
        NewPool(2, PERSIST | SHARED, 7),
        Put(2, Handle(2, 5, 0), number(1)),
    ),
    (
        (Get(1, Handle(1, 5, 1)),),
        (
            DestroyPool(1, 1),
            Put(2, Handle(2, 5, 1), number(2)),
            FlushPage(2, Handle(2, 5, 1)),
            NewPool(1, PERSIST | SHARED, 7),
        ),
    ),
)
"""Client 1 leaves a shared pool under a get of its own, and joins it again once a page has come and gone."""


def without_lock(source: str) -> str:
    return source.replace("kind.persistent and not kind.shared", "kind.persistent")


@pytest.mark.parametrize(
    ("rewrite", "right"),
    [pytest.param({}, True, marks=pytest.mark.long), ({"tmem.impl.pool": without_lock}, False)],
)
def test_a_get_answers_no_page_that_came_and_went_while_its_client_had_left(rewrite, right) -> None:
    subject = open_subject("tmem.impl.target", "factory", ((None,),), rewrite)
    with watched():
        search = Search(Executor(subject.backends("statement", 0), REJOINS, subject.page_size))
        assert (search.first(Exploration(bound=3, most=25_000), 0) is None) == right
