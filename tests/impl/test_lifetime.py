"""Stores as context managers, stores that are dropped, and stores in a forked child."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.impl.audit import audit
from tmem.impl import Plain, Store
from tmem.spec.abi.errors import ENODEV
from tmem.spec.abi.flags import PERSIST, SHARED

SIZE = 256
FORKS = 25
PATIENCE = 60
"""Seconds after which a child that hangs is killed; none takes nearly as long."""


def a_page(number: int) -> bytes:
    return number.to_bytes(4) * (SIZE // 4)


@pytest.fixture(params=["pure", "compiled"])
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    if request.param == "pure":
        return Store
    return pytest.importorskip("tmem.impl.compiled", exc_type=ImportError).Store


def test_a_store_is_closed_at_the_end_of_its_with_statement(make: Callable[..., Any]) -> None:
    with make(page_size=SIZE) as store:
        pool = store.new_pool(1, PERSIST)
        assert store.put(1, pool, 7, 3, a_page(1))
    with pytest.raises(OSError, match="has no pool") as caught:
        store.get(1, pool, 7, 3)
    assert caught.value.errno == ENODEV
    assert store.counters().bytes == 0


@pytest.mark.parametrize("keep_free", [0, 10_000])
def test_a_store_that_is_dropped_is_collected_with_its_thread(
    make: Callable[..., Any], keep_free: int
) -> None:
    pams: list[weakref.ref[Plain]] = []

    def pam(codec: Any) -> Plain:
        made = Plain(codec)
        pams.append(weakref.ref(made))
        return made

    before = set(threading.enumerate())
    store = make(1 << 20, page_size=SIZE, keep_free=keep_free, pam=pam)
    threads = set(threading.enumerate()) - before
    assert len(threads) == bool(keep_free)
    pool = store.new_pool(1)
    for index in range(100):
        store.put(1, pool, 7, index, a_page(index))
    del store
    gc.collect()
    for thread in threads:
        thread.join()
    gc.collect()
    assert pams[0]() is None


def in_child(check: Callable[[], None]) -> int:
    """Fork, and check something in the child; the status with which it ends."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    signal.alarm(PATIENCE)
    try:
        check()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def work(store: Any, seed: int, stop: threading.Event) -> None:
    """Do anything anywhere in the pools 0 to 3, which may end and come back."""
    draw = random.Random(seed)
    while not stop.is_set():
        pool, oid, index = draw.randrange(4), draw.randrange(3), draw.randrange(40)
        with suppress(OSError):
            match draw.randrange(9):
                case 0:
                    store.flush_object(1, pool, oid)
                case 1:
                    store.get(1, pool, oid, index)
                case 2:
                    store.reclaim(5)
                case 3 if draw.random() < 0.2:
                    store.destroy_pool(1, pool)
                    store.new_pool(1, draw.choice([0, PERSIST, SHARED]), 7)
                case 4:
                    slots = [(oid, each) for each in range(8)]
                    store.put_many(1, pool, slots, [a_page(each) for each in range(8)])
                case _:
                    store.put(1, pool, oid, index, a_page(index))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_the_midst_of_anything_has_a_store_that_works(make: Callable[..., Any]) -> None:
    store = make(60_000, page_size=SIZE, keep_free=10_000)
    for flags in (0, PERSIST, SHARED, PERSIST):
        store.new_pool(1, flags, 7)
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(store, seed, stop)) for seed in range(3)]

    def check() -> None:
        store._background.stop()
        audit(store)
        store._background.start()
        for pool in list(store._tables[1]):
            store.put(1, pool, 9, 9, a_page(9))  # which the persistent pages may leave no room for
            store.flush_object(1, pool, 9)
            assert store.get(1, pool, 9, 9) is None
            assert store.destroy_pool(1, pool)
        cache = store.new_pool(5)
        for index in range(500):
            assert store.put(5, cache, 1, index, random.Random(index).randbytes(SIZE))
        while store.counters().bytes > 50_000:
            time.sleep(0.001)
        store.close()
        assert store.counters().bytes == 0

    for thread in threads:
        thread.start()
    try:
        for _ in range(FORKS):
            assert in_child(check) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    store._background.stop()
    audit(store)
    store.close()


@pytest.mark.parametrize(
    ("knobs", "line"),
    [
        ({"budget": "all"}, "budget must be an integer or None, not str"),
        ({"budget": 1.5}, "budget must be an integer or None, not float"),
        ({"page_size": "4k"}, "page_size must be an integer, not str"),
        ({"page_size": 1 << 31}, "page_size is 2147483648: a page has 1 to 2113929216 bytes"),
        ({"codec": 7}, "codec must be a class or another callable, not int"),
        ({"codec": lambda size: None}, "codec: NoneType lacks compress, decompress, .*"),
        ({"pam": None}, "pam must be a class or another callable, not NoneType"),
        ({"pam": lambda codec: codec}, "pam: Lz4 lacks overhead, create, .*"),
        ({"host": object()}, "host: object lacks obj_alloc, obj_free, page_alloc, page_free"),
        ({"budget": 1 << 20, "keep_free": None}, "keep_free must be an integer, not NoneType"),
        ({"keep_free": 7}, "keep_free is 7: there is no budget of which to keep bytes free"),
        ({"advance": -1}, "advance is -1: give 0 or more bytes, or None for the default"),
        ({"advance": "much"}, "advance must be an integer or None, not str"),
    ],
)
def test_each_wrong_argument_is_named(knobs: dict[str, Any], line: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{line}$"):
        Store(**knobs)


@pytest.mark.parametrize("page_size", [512, 4096, 8192, 32768, 4096 << 15])
def test_a_store_of_any_page_size_makes_pools_by_default(page_size: int) -> None:
    with Store(page_size=page_size) as store:
        pool = store.new_pool(1)
        assert store.put(1, pool, 7, 3, bytes(page_size))
        assert store.get(1, pool, 7, 3) == bytes(page_size)


def test_flags_of_another_page_size_are_refused_with_the_bits_that_are_wanted() -> None:
    with (
        Store(page_size=32768) as store,
        pytest.raises(OSError, match="for pages of 32768 bytes they must be 3"),
    ):
        store.new_pool(1, PERSIST)
