"""A call for many pages does the same as one call for each page, in order, whatever goes wrong."""

from __future__ import annotations

import os
from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.impl.audit import audit
from tests.impl.test_pressure import Arena, Failing, Refusing
from tests.impl.test_races import KINDS, Striking
from tmem.impl import Lz4, Store, many
from tmem.impl.room import POOL
from tmem.spec.abi.errors import EINVAL, ENODEV, ENOMEM
from tmem.spec.abi.flags import PERSIST, SHARED

PAGE_SIZE = 64
MANY = 3 * many.PIECE


def page(tag: int, size: int = 4096) -> bytes:
    return (b"%d " % tag * size)[:size]


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
@pytest.mark.parametrize("count", [0, 1, many.PIECE, many.PIECE + 1, MANY])
def test_many_pages_come_back_in_order(flags, uuid, count):
    store = Store()
    pool = store.new_pool(1, flags, uuid)
    slots = [(number % 3 << 70, number) for number in range(count)]
    pages = [page(number) for number in range(count)]
    assert store.put_many(1, pool, slots, pages) == [True] * count
    audit(store)
    assert list(store.get_many(1, pool, slots)) == pages
    again = [None] * count if (flags, uuid) == (0, None) else pages
    assert list(store.get_many(1, pool, slots)) == again
    audit(store)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_misses_are_none_at_their_places(flags, uuid):
    store = Store()
    pool = store.new_pool(1, flags, uuid)
    store.put_many(1, pool, [(7, 1), (8, 3)], [page(1), page(3)])
    slots = [(7, 0), (7, 1), (9, 1), (8, 3), (8, 1)]
    assert list(store.get_many(1, pool, slots)) == [None, page(1), None, page(3), None]
    assert (store.counters().hits, store.counters().misses) == (2, 3)


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_of_one_slot_the_last_page_stays(flags):
    store = Store()
    pool = store.new_pool(1, flags)
    assert store.put_many(1, pool, [(7, 3)] * 3, [page(1), page(2), page(3)]) == [True] * 3
    expected = [page(3), page(3)] if flags else [page(3), None]
    assert list(store.get_many(1, pool, [(7, 3)] * 2)) == expected
    audit(store)


BAD_SLOTS = [(-1, 0), (1 << 192, 0), (7, -1), (7, 1 << 32), ("7", 3), (7, None), (7.0, 3), (7, 3.0)]
BAD_PAGES = [b"", page(1)[1:], page(1) + b"x", "x" * 4096, None, memoryview(page(1) * 2)]


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_bad_arguments_are_refused_before_anything_changes(flags, uuid):
    store = Store()
    pool = store.new_pool(1, flags, uuid)
    store.put_many(1, pool, [(7, 3), (7, 4)], [page(1), page(2)])
    before = store.counters()
    calls = [("put_many", ([(7, 3), bad], [page(9)] * 2)) for bad in BAD_SLOTS]
    calls += [("put_many", ([(7, 3), (7, 4)], [page(9), bad])) for bad in BAD_PAGES]
    calls += [("put_many", ([(7, 3)], [])), ("put_many", ([], [page(9)]))]
    calls += [("get_many", ([bad],)) for bad in BAD_SLOTS]
    for name, arguments in calls:
        with pytest.raises((OSError, TypeError)) as caught:
            getattr(store, name)(1, pool, *arguments)
        assert isinstance(caught.value, TypeError) or caught.value.errno == EINVAL, arguments
    for bad in BAD_SLOTS:
        with pytest.raises((OSError, TypeError)):
            store.get_many(1, pool, [(7, 3), bad])
    assert store.counters().pages == before.pages
    assert list(store.get_many(1, pool, [(7, 3), (7, 4)])) == [page(1), page(2)]


@pytest.mark.parametrize("buffer", [bytearray, memoryview])
def test_pages_are_copied_whatever_buffers_they_come_in(buffer):
    store = Store()
    pool = store.new_pool(1, PERSIST)
    buffers = [bytearray(page(tag)) for tag in range(3)]
    slots = [(7, index) for index in range(3)]
    assert store.put_many(1, pool, slots, [page(9), *map(buffer, buffers[1:])]) == [True] * 3
    buffers[1][0] ^= 255
    assert list(store.get_many(1, pool, slots)) == [page(9), page(1), page(2)]


@pytest.mark.parametrize("name", ["put_many", "get_many"])
def test_without_its_pool_it_is_enodev(name):
    store = Store()
    with pytest.raises(OSError, match="has no pool") as caught:
        getattr(store, name)(1, 0, [(7, 3)], *([[page(1)]] if name == "put_many" else []))
    assert caught.value.errno == ENODEV


def test_what_does_not_fit_is_false_at_its_place_and_leaves_nothing():
    store = Store(POOL + 14_000)
    pool = store.new_pool(1, PERSIST)
    slots = [(7, index) for index in range(6)]
    store.put_many(1, pool, slots, [bytes(4096)] * 6)
    answers = store.put_many(1, pool, slots, [os.urandom(4096) for _ in slots])
    assert answers == [True, True, True, False, False, False]
    assert [found is not None for found in store.get_many(1, pool, slots)] == answers
    audit(store)


def test_under_pressure_the_oldest_ephemeral_pages_make_way():
    store = Store(60_000)
    pool = store.new_pool(1)
    slots = [(7, index) for index in range(100)]
    assert store.put_many(1, pool, slots, [os.urandom(4096) for _ in slots]) == [True] * 100
    audit(store)
    found = [page is not None for page in store.get_many(1, pool, slots)]
    assert found == sorted(found)
    assert 10 < sum(found) < 20


@pytest.mark.parametrize("flags", [0, PERSIST])
@pytest.mark.parametrize("grants", range(12))
@pytest.mark.parametrize("error", [MemoryError(), OSError(ENOMEM, "no"), ZeroDivisionError()])
def test_a_host_that_says_no_leaves_nothing_behind(flags, grants, error):
    host = Refusing(grants, error)
    store = Store(host=host)
    pool = store.new_pool(1, flags)
    slots, pages = [(7, 0), (7, 1), (8, 0), (7, 0)], [os.urandom(4096) for _ in range(4)]
    try:
        answers = store.put_many(1, pool, slots, pages)
    except ZeroDivisionError:
        assert isinstance(error, ZeroDivisionError)
    else:
        last = dict(zip(slots, zip(answers, pages, strict=True), strict=True))
        found = dict(zip(slots, store.get_many(1, pool, slots), strict=True)) if flags else {}
        assert all(
            found[slot] == (page if stored else None) for slot, (stored, page) in last.items() if flags
        )
    audit(store)
    store.close()
    assert (host.objects, host.bytes) == (0, 0)


def test_a_codec_that_fails_fails_the_puts_one_by_one():
    codec = Failing(4096)
    store = Store(codec=lambda page_size: codec)
    pool = store.new_pool(1, PERSIST)
    slots = [(7, index) for index in range(3)]
    store.put_many(1, pool, slots, [bytes(4096)] * 3)
    codec.error = MemoryError()
    assert store.put_many(1, pool, slots, [bytes(4096)] * 3) == [False] * 3
    assert store.counters().pages == 0
    codec.error = RuntimeError()
    with pytest.raises(RuntimeError):
        store.put_many(1, pool, slots, [bytes(4096)] * 3)
    audit(store)


@pytest.mark.parametrize("flags", [0, PERSIST, SHARED])
def test_every_page_of_a_pam_is_freed_just_once(flags):
    arena = Arena(Lz4(4096))
    store = Store(7_000, pam=lambda codec: arena)
    pool = store.new_pool(1, flags, 7)
    for n in range(60):
        slots = [(index % 5, (n + index) % 40) for index in range(16)]
        store.put_many(1, pool, slots, [b"%4096d" % n] * 16)
        store.get_many(1, pool, slots[n % 16 :])
        assert len(arena.data) == store.counters().pages
    assert store.counters().puts_failed or store.counters().pages_reclaimed
    store.close()
    assert not arena.data


@pytest.mark.parametrize(("flags", "uuid"), [(PERSIST, None), (SHARED, 7)])
def test_pages_that_a_pam_lost_to_a_race_are_looked_up_again(flags, uuid):
    arena = Arena(Lz4(4096))
    store = Store(pam=lambda codec: arena)
    pool = store.new_pool(1, flags, uuid)
    slots = [(7, index) for index in range(3)]
    store.put_many(1, pool, slots, [page(index) for index in range(3)])
    arena.lose = 2
    assert list(store.get_many(1, pool, slots)) == [page(index) for index in range(3)]


@pytest.mark.parametrize("flags", [0, PERSIST])
def test_memory_that_is_short_for_copies_is_enomem(flags):
    arena = Arena(Lz4(4096))
    store = Store(pam=lambda codec: arena)
    pool = store.new_pool(1, flags)
    store.put_many(1, pool, [(7, 3), (7, 4)], [bytes(4096)] * 2)

    def short(tickets):
        raise MemoryError

    arena.get_data_many = short
    with pytest.raises(OSError, match="no memory") as caught:
        store.get_many(1, pool, [(7, 3), (7, 4)])
    assert caught.value.errno == ENOMEM
    assert len(arena.data) == store.counters().pages == (2 if flags else 0)


# Races: what happens between the steps is done there on purpose


@pytest.fixture
def codec() -> Striking:
    return Striking(4096)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
@pytest.mark.parametrize("again", [False, True])
def test_a_pool_that_ends_meanwhile_gets_no_page(codec, flags, uuid, again):
    store = Store(codec=lambda page_size: codec)
    pool = store.new_pool(1, flags, uuid)

    def strike():
        store.destroy_pool(1, pool)
        if again:
            assert store.new_pool(1, flags, uuid) == pool

    codec.strike = strike
    slots = [(7, 3), (7, 4)]
    if again:  # each page is a put of its own: all come after the new pool here
        assert store.put_many(1, pool, slots, [page(1), page(2)]) == [True, True]
        assert list(store.get_many(1, pool, slots)) == [page(1), page(2)]
    else:
        with pytest.raises(OSError, match="has no pool"):
            store.put_many(1, pool, slots, [page(1), page(2)])
    audit(store)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
@pytest.mark.parametrize("meanwhile", ["flush_page", "flush_object", "put", "destroy_pool", "reclaim"])
def test_hits_that_are_under_way_return_their_pages_whatever_comes(codec, flags, uuid, meanwhile):
    store = Store(codec=lambda page_size: codec)
    pool = store.new_pool(1, flags, uuid)
    slots = [(7, 3), (7, 4)]
    store.put_many(1, pool, slots, [page(1), page(2)])
    arguments = {
        "flush_page": (1, pool, 7, 4),
        "flush_object": (1, pool, 7),
        "put": (1, pool, 7, 4, page(9)),
        "destroy_pool": (1, pool),
        "reclaim": (10,),
    }[meanwhile]
    codec.strike = lambda: getattr(store, meanwhile)(*arguments)
    assert list(store.get_many(1, pool, slots)) == [page(1), page(2)]
    audit(store)


# Against operations for one page

SLOTS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "put", "get", "flush", "reclaim"]), SLOTS), max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([0, PERSIST, SHARED]), st.none() | st.integers(POOL + 400, POOL + 1_500), STEPS)
def test_many_are_as_one_after_the_other(flags, budget, steps):
    one, other = Store(budget, page_size=PAGE_SIZE), Store(budget, page_size=PAGE_SIZE)
    pool = one.new_pool(1, flags, 7)
    assert other.new_pool(1, flags, 7) == pool
    puts = 0
    for step, slots in steps:
        match step:
            case "put":
                puts += 1
                pages = [sha512(b"%d %d" % (puts, at)).digest() for at in range(len(slots))]
                singles = [one.put(1, pool, *slot, page) for slot, page in zip(slots, pages, strict=True)]
                assert other.put_many(1, pool, slots, pages) == singles
            case "get":
                assert list(other.get_many(1, pool, slots)) == [one.get(1, pool, *slot) for slot in slots]
            case "flush":
                for slot in slots:
                    assert one.flush_page(1, pool, *slot) == other.flush_page(1, pool, *slot)
            case "reclaim":
                assert one.reclaim(len(slots)) == other.reclaim(len(slots))
        audit(other)
    assert one.counters() == other.counters()
