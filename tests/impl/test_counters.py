"""What the store counts: every time once, and all of it adds up."""

from __future__ import annotations

import os
from dataclasses import asdict

import pytest

from tests.impl.test_store import KINDS, page
from tmem.impl import Store
from tmem.spec.abi.flags import PERSIST


def test_the_counters_add_up():
    store = Store()
    pool, swap = store.new_pool(1), store.new_pool(1, PERSIST)
    for index in range(5):
        store.put(1, pool, 7, index, page(index))
    store.put(1, pool, 7, 0, page(9))
    store.put(1, swap, 7, 0, page(10))
    assert store.get(1, pool, 7, 0) == page(9)
    assert store.get(1, pool, 7, 0) is None
    assert store.get(1, swap, 7, 0) == page(10)
    store.flush_page(1, pool, 7, 1)
    assert store.reclaim(1) == 1
    store.flush_object(1, pool, 7)
    store.destroy_pool(1, swap)
    counts = store.counters()
    assert (counts.puts_stored, counts.duplicates_replaced, counts.puts_failed) == (7, 1, 0)
    assert (counts.hits, counts.misses, counts.flushes_found) == (2, 1, 2)
    assert (counts.pages_flushed, counts.pages_reclaimed, counts.pages_ended) == (3, 1, 1)
    assert (counts.pools, counts.pages) == (1, 0)


@pytest.mark.parametrize(("flags", "uuid"), KINDS)
def test_every_time_counts_once(flags, uuid):
    store = Store(budget=8_000)
    pool = store.new_pool(1, flags, uuid)
    ephemeral, exclusive = not flags & PERSIST, uuid is None and not flags & PERSIST
    large = os.urandom(4096)
    steps = [
        ("put", (7, 0, page(1)), {"puts_stored"}),
        ("put", (7, 1, page(2)), {"puts_stored"}),
        ("put", (7, 1, page(3)), {"puts_stored", "duplicates_replaced"}),
        ("get", (7, 5), {"misses"}),
        ("get", (7, 0), {"hits"}),
        ("put", (7, 0, page(1)), {"puts_stored"} if exclusive else {"puts_stored", "duplicates_replaced"}),
        ("get_many", ([(7, 0)],), {"hits"}),
        ("get_many", ([(7, 5)],), {"misses"}),
        ("put_many", ([(7, 6)], [page(1)]), {"puts_stored"}),
        ("put_many", ([(7, 6)], [page(2)]), {"puts_stored", "duplicates_replaced"}),
        ("flush_page", (7, 6), {"flushes_found", "pages_flushed"}),
        ("put", (7, 0, page(1)), {"puts_stored"} if exclusive else {"puts_stored", "duplicates_replaced"}),
        ("flush_page", (7, 5), set()),
        ("flush_page", (7, 1), {"flushes_found", "pages_flushed"}),
        ("flush_object", (8,), set()),
        ("flush_object", (7,), {"flushes_found", "pages_flushed"}),
    ]
    for _ in range(3):
        for name, arguments, counted in steps:
            before = asdict(store.counters())
            getattr(store, name)(1, pool, *arguments)
            after = asdict(store.counters())
            grown = {what: after[what] - before[what] for what in counted}
            assert grown == dict.fromkeys(counted, 1), name
            same = set(after) - counted - {"pages", "bytes"}
            assert {what: after[what] for what in same} == {what: before[what] for what in same}, name
    swap = store.new_pool(1, PERSIST)
    assert store.put(1, swap, 1, 0, large)
    for failed in range(1, 4):
        store.put(1, pool, 7, 0, page(1))
        assert not store.put(1, pool, 7, 0, large)
        counts = store.counters()
        assert (counts.puts_failed, counts.duplicates_flushed + counts.pages_reclaimed) == (failed, failed)
        assert bool(counts.pages_reclaimed) == ephemeral
    store.close()
