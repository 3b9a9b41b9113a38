"""The operations of the store, one at a time: what is kept, what is refused, and what it counts."""

from __future__ import annotations

import array
import gc
import os
from importlib.metadata import entry_points

import pytest

from tmem.impl import Store
from tmem.impl.pool import Pool
from tmem.impl.room import Room
from tmem.spec.abi.errors import EINVAL, ENODEV, ENOMEM, EPERM
from tmem.spec.abi.flags import NO_UUID, PERSIST, PRECOMPRESSED, RESERVED, SHARED, compose

ALL_ONES = (1 << 192) - 1
EPHEMERAL = 0
KINDS = [(EPHEMERAL, None), (PERSIST, None), (SHARED, 7), (PERSIST | SHARED, 7)]


def page(tag: int, size: int = 4096) -> bytes:
    """A page like no other that lz4 can shrink."""
    return (b"%d " % tag * size)[:size]


@pytest.fixture
def store():
    made = Store()
    yield made
    made.close()
    assert made.counters().bytes == 0
    assert made.counters().pages == 0


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_a_hit_returns_the_page_and_takes_it_just_where_hits_are_exclusive(store, flags, uuid):
    pool = store.new_pool(1, flags, uuid)
    assert store.put(1, pool, 7, 3, page(1)) is True
    assert store.get(1, pool, 7, 3) == page(1)
    assert store.get(1, pool, 7, 3) == (None if flags == EPHEMERAL else page(1))


@pytest.mark.parametrize("flags", [EPHEMERAL, PERSIST])
@pytest.mark.parametrize(
    "kind",
    [bytes(4096), b"ab" * 2048, b"12345678" * 512, os.urandom(4096), b"x" + bytes(4094) + b"x", page(9)],
    ids=["zero", "two bytes", "same-filled", "random", "ends", "text"],
)
def test_every_kind_of_page_comes_back(store, flags, kind):
    pool = store.new_pool(1, flags)
    for given in (kind, bytearray(kind), memoryview(kind)):
        assert store.put(1, pool, 7, 3, given)
        assert store.get(1, pool, 7, 3) == kind


def test_a_page_is_copied_whatever_buffer_it_comes_in(store):
    pool = store.new_pool(1, PERSIST)
    buffer = bytearray(os.urandom(4096))
    kept = bytes(buffer)
    for given in (buffer, memoryview(buffer)):
        assert store.put(1, pool, 7, 3, given)
        buffer[0] ^= 255
        assert store.get(1, pool, 7, 3) == kept
        buffer[0] ^= 255
    strided = memoryview(bytes(x for byte in kept for x in (byte, 0)))[::2]
    words = memoryview(array.array("Q", kept))
    for given in (strided, words):
        assert store.put(1, pool, 7, 4, given)
        assert store.get(1, pool, 7, 4) == kept


def test_the_target_is_found_by_its_entry_point():
    (entry,) = entry_points(group="tmem.targets", name="impl")
    made = entry.load()(budget=20_000)
    assert made.counters().budget == 20_000
    made.close()


def raised(errno: int):
    return pytest.raises(OSError, check=lambda error: error.errno == errno)


@pytest.mark.parametrize(
    ("flags", "uuid"),
    [
        (PRECOMPRESSED, None),
        (RESERVED, None),
        (1 << 8, None),
        (2 << 24, None),
        (1 << 4, None),
        (1 << 32, None),
    ],
)
def test_flags_that_are_not_taken_make_no_pool(store, flags, uuid):
    with raised(EPERM):
        store.new_pool(1, flags, uuid)
    assert store.counters().pools == 0
    assert store.new_pool(1) == 0


def test_version_0_is_1_and_the_page_size_is_that_of_the_store():
    store = Store(page_size=8192)
    assert store.new_pool(1, compose(page_size=8192)) == 0
    assert store.new_pool(1, compose(page_size=8192, version=0)) == 1
    with raised(EPERM):
        store.new_pool(1, compose())
    assert store.put(1, 0, 7, 3, page(1, 8192))
    assert store.get(1, 0, 7, 3) == page(1, 8192)


@pytest.mark.parametrize("bad", [-1, 1 << 16])
def test_a_client_has_16_bits(store, bad):
    with raised(EINVAL):
        store.new_pool(bad)


def test_pool_ids_are_the_smallest_free_ones_of_the_client(store):
    assert [store.new_pool(1) for _ in range(3)] == [0, 1, 2]
    assert store.new_pool(2) == 0
    assert store.destroy_pool(1, 1)
    assert store.destroy_pool(1, 0)
    assert [store.new_pool(1) for _ in range(3)] == [0, 1, 3]
    assert not store.destroy_pool(1, 4)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_without_its_pool_every_operation_fails(store, flags, uuid):
    pool = store.new_pool(1, flags, uuid)
    store.put(1, pool, 7, 3, page(1))
    assert store.destroy_pool(1, pool)
    assert not store.destroy_pool(1, pool)
    for call in (
        lambda: store.put(1, pool, 7, 3, page(1)),
        lambda: store.get(1, pool, 7, 3),
        lambda: store.flush_page(1, pool, 7, 3),
        lambda: store.flush_object(1, pool, 7),
        lambda: store.pool_flags(1, pool),
    ):
        with raised(ENODEV):
            call()
    assert store.new_pool(1, flags, uuid) == pool
    assert store.get(1, pool, 7, 3) is None


@pytest.mark.parametrize("uuid", [None, NO_UUID])
def test_shared_without_a_uuid_is_private(store, uuid):
    one, two = store.new_pool(1, SHARED, uuid), store.new_pool(2, SHARED, uuid)
    assert store.put(1, one, 7, 3, page(1))
    assert store.get(2, two, 7, 3) is None
    assert store.pool_flags(1, one) == compose()


def test_a_uuid_without_the_shared_bit_is_ignored(store):
    for client in (1, 2):
        assert store.new_pool(client, PERSIST, 7) == 0
    shared = store.new_pool(3, PERSIST | SHARED, 7)
    assert store.put(1, 0, 7, 3, page(1))
    assert store.get(2, 0, 7, 3) is None
    assert store.get(3, shared, 7, 3) is None
    assert store.pool_flags(3, shared) == compose(persistent=True, shared=True)


def test_sharers_see_the_same_pages_until_the_last_leaves(store):
    one, two = store.new_pool(1, PERSIST | SHARED, 7), store.new_pool(2, PERSIST | SHARED, 7)
    again = store.new_pool(1, PERSIST | SHARED, 7)
    assert store.put(1, one, 7, 3, page(1))
    assert store.get(2, two, 7, 3) == page(1)
    assert store.destroy_pool(1, one)
    assert store.get(1, again, 7, 3) == page(1)
    assert store.destroy_pool(2, two)
    assert store.get(1, again, 7, 3) == page(1)
    assert store.destroy_pool(1, again)
    assert store.get(5, store.new_pool(5, PERSIST | SHARED, 7), 7, 3) is None


def test_a_shared_pool_of_another_kind_is_not_joined(store):
    store.new_pool(1, SHARED, 7)
    before = store.counters().bytes
    with raised(EPERM):
        store.new_pool(2, SHARED | PERSIST, 7)
    assert store.counters().bytes == before
    with raised(ENODEV):
        store.get(2, 0, 7, 3)


def test_every_bit_of_a_handle_counts(store):
    pool = store.new_pool(1, PERSIST)
    oids = [0, ALL_ONES, 1 << 64, 1 << 128, (1 << 64) | 1, *(1 << bit for bit in range(192))]
    indexes = [0, 63, 64, 1 << 16, 1 << 31, (1 << 32) - 1]
    slots = sorted({(oid, index) for oid in oids for index in indexes})
    for tag, slot in enumerate(slots):
        assert store.put(1, pool, *slot, page(tag))
    assert all(store.get(1, pool, *slot) == page(tag) for tag, slot in enumerate(slots))


def bad_calls(pool: int):
    for oid, index in [
        (-1, 0),
        (1 << 192, 0),
        (7, -1),
        (7, 1 << 32),
        ("7", 3),
        (7, None),
        (7.0, 3),
        (7, 3.0),
    ]:
        yield "put", (1, pool, oid, index, page(2))
        yield "get", (1, pool, oid, index)
        yield "flush_page", (1, pool, oid, index)
        yield "flush_object", (1, pool, oid if index in (0, 3) else 1 << 200)
    for bad in (b"", page(2)[:-1], page(2) + b"x", "x" * 4096, None, 7, [0] * 4096, memoryview(page(2) * 2)):
        yield "put", (1, pool, 7, 3, bad)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_bad_arguments_are_refused_and_change_nothing(store, flags, uuid):
    pool = store.new_pool(1, flags, uuid)
    store.put(1, pool, 7, 3, page(1))
    before = store.counters()
    for name, arguments in bad_calls(pool):
        if name == "flush_object" and arguments[2] == 7:
            continue
        with pytest.raises((OSError, TypeError), match=r"object id|index|page|integer") as caught:
            getattr(store, name)(*arguments)
        assert isinstance(caught.value, TypeError) or caught.value.errno == EINVAL, (name, arguments)
    assert store.counters() == before
    assert store.get(1, pool, 7, 3) == page(1)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda s: s.new_pool("1"), "client must be an integer, not str"),
        (lambda s: s.new_pool(1, None), "flags must be an integer, not NoneType"),
        (lambda s: s.new_pool(1, SHARED, "7"), "UUID must be an integer, not str"),
        (lambda s: s.new_pool(1, SHARED, 1 << 128), "UUID 0x1.* does not fit 128 bits"),
        (lambda s: s.reclaim(-1), "cannot reclaim -1 pages"),
        (lambda s: s.reclaim("all"), "pages to reclaim must be an integer"),
        (lambda s: s.get(1, [], 7, 3), "client and pool id must be integers"),
    ],
)
def test_what_a_refusal_says(store, call, line):
    store.new_pool(1)
    with pytest.raises((OSError, TypeError), match=rf"(^|\] ){line}"):
        call(store)


@pytest.mark.parametrize(
    "knobs",
    [{"budget": -1}, {"page_size": 0}, {"keep_free": 1}, {"budget": 10, "keep_free": 11}, {"keep_free": -1}],
)
def test_a_store_that_cannot_be_is_refused(knobs):
    with pytest.raises(ValueError, match=next(reversed(knobs))):
        Store(**knobs)


def test_flushes_tell_what_they_found(store):
    pool = store.new_pool(1)
    for index in range(3):
        store.put(1, pool, 7, index, page(index))
    store.put(1, pool, 8, 0, page(8))
    assert [store.flush_page(1, pool, 7, 0) for _ in range(2)] == [True, False]
    assert [store.flush_object(1, pool, 7) for _ in range(2)] == [True, False]
    assert [store.get(1, pool, 7, index) for index in range(3)] == [None] * 3
    assert store.get(1, pool, 8, 0) == page(8)


@pytest.mark.parametrize(
    ("oid", "index", "error", "message"),
    [
        (1 << 192, 0, OSError, f"object id {1 << 192:#x} does not fit 192 bits"),
        (-1, 0, OSError, "object id -0x1 does not fit 192 bits"),
        (7, 1 << 32, OSError, "index 0x100000000 does not fit 32 bits"),
        (7, -1, OSError, "index -0x1 does not fit 32 bits"),
        ("7", 3, TypeError, "object id must be an integer, not str"),
        (7, 3.0, TypeError, "index must be an integer, not float"),
        ([7], None, TypeError, "object id must be an integer, not list"),
    ],
)
def test_what_is_wrong_with_a_handle_is_told(store, oid, index, error, message):
    pool = store.new_pool(1)
    calls = [
        lambda: store.put(1, pool, oid, index, page(1)),
        lambda: store.get(1, pool, oid, index),
        lambda: store.flush_page(1, pool, oid, index),
        lambda: store.put_many(1, pool, [(oid, index)], [page(1)]),
        lambda: store.get_many(1, pool, [(oid, index)]),
    ]
    for call in calls:
        with pytest.raises(error, match=rf"(^|\] ){message}$") as caught:
            call()
        assert error is TypeError or caught.value.errno == EINVAL


def test_a_page_may_have_one_byte():
    store = Store(page_size=1)
    pool = store.new_pool(1, PERSIST)
    assert store.put(1, pool, 7, 3, b"x")
    assert store.get(1, pool, 7, 3) == b"x"
    store.close()


def test_a_budget_of_nothing_takes_nothing():
    store = Store(0)
    with pytest.raises(OSError, match="no room for a pool") as caught:
        store.new_pool(1)
    assert caught.value.errno == ENOMEM
    assert store.counters().bytes == 0


def test_a_closed_store_is_freed_without_the_collector():
    def parts() -> int:
        return sum(isinstance(each, Store | Pool | Room) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = parts()
        store = Store(budget=1 << 20)
        for number, (flags, _) in enumerate(KINDS):
            pool = store.new_pool(1, flags, number)
            for tag in range(20):
                store.put(1, pool, tag % 3, tag, page(tag))
            store.flush_object(1, pool, 1)
        assert parts() == before + len(KINDS) + 2
        store.close()
        del store
        assert parts() == before
    finally:
        gc.enable()


def test_a_closed_store_has_no_pools():
    store = Store()
    pool = store.new_pool(1, PERSIST)
    store.put(1, pool, 7, 3, page(1))
    store.close()
    store.close()
    for call in (lambda: store.new_pool(1), lambda: store.get(1, pool, 7, 3)):
        with raised(ENODEV):
            call()


def test_pools_count_against_the_budget():
    store = Store(5_000)
    with raised(ENOMEM):
        for client in range(100):
            store.new_pool(client)
    assert store.counters().bytes <= 5_000
    assert store.destroy_pool(0, 0)
    assert store.new_pool(99) == 0
