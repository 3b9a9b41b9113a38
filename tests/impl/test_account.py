"""The account of bytes: what a store says that it takes is what Python's allocator says that it took."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from tmem.impl import Store
from tmem.impl.drain import HOLD
from tmem.impl.pam.plain import Plain
from tmem.impl.room import POOL
from tmem.spec.abi.flags import PERSIST

PAGES = 12_000


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def page(number: int, noise: int) -> bytes:
    """A page that compresses to a few bytes more than its noise."""
    return (b"%d " % number + random.Random(number).randbytes(noise)).ljust(4096, b".")


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("flags", [0, PERSIST])
@pytest.mark.parametrize(("objects", "noise"), [(6, 0), (6, 400), (PAGES, 0)])
def test_the_account_is_what_memory_grew(flags: int, objects: int, noise: int) -> None:
    store = Store()
    pool = store.new_pool(1, flags)
    start, counted = tracemalloc.get_traced_memory()[0], store.counters().bytes
    for number in range(PAGES):
        assert store.put(1, pool, number % objects, number, page(number, noise))
    grew, counted = tracemalloc.get_traced_memory()[0] - start, store.counters().bytes - counted
    assert 0.88 < counted / grew < 1.12
    store.close()


def test_what_is_drained_comes_in_whole_pieces() -> None:
    store = Store(page_size=1)
    pool = store.new_pool(1)
    for oid in range(5):
        for index in range(40 * (oid + 1)):
            assert store.put(1, pool, oid, index, b"x")
    owner = store._tables[1][pool]
    owner.end()
    (detached,) = owner.leaving
    sizes = []
    while detached:
        sizes.append(len(owner.give_back(detached, HOLD)))
    assert sizes == [HOLD] * (600 // HOLD) + [600 % HOLD]
    assert owner.held == POOL
    assert not owner.leaving


class Full(Plain):
    """A PAM without room for more than one page, that frees only what it made."""

    def __init__(self, codec) -> None:
        super().__init__(codec)
        self.made: set[bytes] = set()
        self.create = self._create

    def _create(self, page: bytes) -> bytes:
        if self.made:
            raise MemoryError
        self.made.add(page)
        return page

    def free(self, pampd: bytes) -> None:
        self.made.remove(pampd)


def test_a_put_whose_page_was_never_made_frees_nothing() -> None:
    store = Store(pam=Full)
    pool = store.new_pool(1, PERSIST)
    assert store.put(1, pool, 7, 3, bytes(4096))
    assert not store.put(1, pool, 7, 4, bytes(4096))
    assert not store.put(1, pool, 7, 3, bytes(4096))
    assert not store._pam.made
