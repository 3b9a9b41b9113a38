"""Real threads, a reclaimer that presses, pools that come and go; and then everything must add up."""

from __future__ import annotations

import os
import random
import re
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.impl.audit import audit
from tmem.impl import Store
from tmem.impl.pause import PIECE
from tmem.impl.pool import Pool
from tmem.spec.abi.errors import ENODEV, ENOMEM
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.clauses.claims import flush_atomic

ROOT = Path(__file__).parents[2]
SECONDS = 0.6
LONGER = 50
"""How many times as long a busy machine may take until there was enough."""
STAMP = struct.Struct("<5Q")
PAGE_SIZE = 960
UUID = 77


def stamped(pool: int, oid: int, index: int, writer: int, serial: int) -> bytes:
    """A page that says whose it is, over and over; a third of them cannot be shrunk."""
    stamp = STAMP.pack(pool, oid, index, writer, serial)
    if serial % 3:
        return stamp * (PAGE_SIZE // STAMP.size)
    return stamp + random.Random(serial).randbytes(PAGE_SIZE - 2 * STAMP.size) + stamp


def read(page: bytes, pool: int, oid: int, index: int) -> tuple[int, int]:
    """⟨writer, serial⟩ of a page that belongs here; an AssertionError for any other."""
    *found, writer, serial = STAMP.unpack_from(page)
    assert page == stamped(*found, writer, serial), "torn"
    assert found == [pool, oid, index], f"at {(pool, oid, index)} there came back {found}"
    return writer, serial


@pytest.fixture(autouse=True)
def _quick_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    yield
    sys.setswitchinterval(before)


def failed(error: BaseException) -> None:
    """Called where a worker fails, before anybody else may wait for a lock that it kept."""


def crowd(enough: Callable[[], bool], *workers: Callable[[Callable[[], bool]], None]) -> None:
    """Let the workers run beside each other for a while, and until there was enough of what they are for.

    The first error of any is raised here.
    """
    stop = threading.Event()
    errors: list[BaseException] = []

    def guarded(worker: Callable[[Callable[[], bool]], None]) -> None:
        try:
            worker(stop.is_set)
        except BaseException as error:
            failed(error)
            errors.append(error)
            stop.set()

    threads = [threading.Thread(target=guarded, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    stop.wait(SECONDS)
    for _ in range(LONGER):
        if enough() or stop.wait(SECONDS):
            break
    stop.set()
    if errors:
        raise errors[0]
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"


def scribbler(store: Store, names: list[tuple[int, int, int]], seed: int) -> Callable[..., None]:
    """Does anything anywhere; `names` are ⟨client, pool id, which pool that is⟩."""

    def work(stopped: Callable[[], bool]) -> None:
        rng, serial = random.Random(seed), 0
        while not stopped():
            client, pool, which = rng.choice(names)
            oid, index, dice = rng.randrange(3) << 40, rng.randrange(4), rng.random()
            if dice < 0.45:
                serial += 1
                store.put(client, pool, oid, index, stamped(which, oid, index, seed, serial))
            elif dice < 0.85:
                page = store.get(client, pool, oid, index)
                if page is not None:
                    read(page, which, oid, index)
            elif dice < 0.95:
                store.flush_page(client, pool, oid, index)
            else:
                store.flush_object(client, pool, oid)

    return work


def batcher(store: Store, names: list[tuple[int, int, int]], seed: int) -> Callable[..., None]:
    """Puts and gets many pages at once, some of them of one slot."""

    def work(stopped: Callable[[], bool]) -> None:
        rng, serial = random.Random(seed), 0
        while not stopped():
            client, pool, which = rng.choice(names)
            slots = [(rng.randrange(3) << 40, rng.randrange(4)) for _ in range(rng.randrange(1, 9))]
            if rng.random() < 0.5:
                serial += 1
                pages = [stamped(which, oid, index, seed, serial) for oid, index in slots]
                assert len(store.put_many(client, pool, slots, pages)) == len(slots)
                continue
            for (oid, index), page in zip(slots, store.get_many(client, pool, slots), strict=True):
                if page is not None:
                    read(page, which, oid, index)

    return work


def reclaimer(store: Store) -> Callable[..., None]:
    def work(stopped: Callable[[], bool]) -> None:
        rng = random.Random(0)
        while not stopped():
            asked = rng.randrange(1, 5)
            assert 0 <= store.reclaim(asked) <= asked
            store.counters()

    return work


@pytest.mark.parametrize("knobs", [{}, {"budget": 16_000}, {"budget": 16_000, "keep_free": 5_000}])
def test_no_page_is_torn_or_foreign_and_all_adds_up(knobs):
    store = Store(page_size=PAGE_SIZE, **knobs)
    names = [(1, store.new_pool(1), 0), (1, store.new_pool(1, PERSIST), 1)]
    names += [(client, store.new_pool(client, SHARED, UUID), 2) for client in (1, 2)]
    names += [(client, store.new_pool(client, PERSIST | SHARED, UUID + 1), 3) for client in (1, 2)]

    def enough() -> bool:
        counts = store.counters()
        return counts.puts_stored > 100 and counts.hits > 20 and counts.pages_reclaimed > 20

    workers = [scribbler(store, names, 1), scribbler(store, names, 2), batcher(store, names, 3)]
    crowd(enough, *workers, reclaimer(store))
    assert enough()
    if store._background is not None:
        store._background.stop()
    audit(store)
    for client, pool, _ in names:
        for oid in range(3):
            store.flush_object(client, pool, oid << 40)
    audit(store)
    assert store.counters().pages == 0
    store.close()
    assert store.counters().bytes == 0


class NoLock:
    """A lock that keeps nobody out, and lets others in at once."""

    def acquire(self, blocking: bool = True) -> bool:
        time.sleep(1e-6)
        return True

    def release(self) -> None:
        pass

    def locked(self) -> bool:
        return False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        pass

    def _is_owned(self) -> bool:
        return False


def without_locks() -> None:
    """Runs the test above on a store whose pools have no locks. The first error ends the process."""
    init = Pool.__init__

    def end(error: BaseException) -> None:
        traceback.print_exception(error)
        os._exit(1)

    def broken(self: Pool, *arguments: object, **named: object) -> None:
        init(self, *arguments, **named)
        self.lock = NoLock()

    Pool.__init__ = broken
    globals()["failed"] = end
    sys.setswitchinterval(2e-5)
    test_no_page_is_torn_or_foreign_and_all_adds_up({"budget": 16_000})


def test_without_the_locks_of_pools_it_does_not():
    # In a process of its own: its threads may be stuck with a lock, and a fork of this one would wait for it.
    script = "from tests.impl.test_threads import without_locks; without_locks()"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert re.search(r"^(AssertionError|KeyError|IndexError|RuntimeError)", done.stderr, re.M), done.stderr


def owner(store: Store, pool: int, seed: int) -> Callable[..., None]:
    """Alone at its slots of a persistent pool, beside which others work: it finds just what it left."""

    def work(stopped: Callable[[], bool]) -> None:
        rng, serial = random.Random(seed), 0
        left: dict[int, int | None] = {}
        while not stopped():
            index, dice = 10 * seed + rng.randrange(4), rng.random()
            if dice < 0.4:
                serial += 1
                stored = store.put(1, pool, 5, index, stamped(pool, 5, index, seed, serial))
                left[index] = serial if stored else None
            elif dice < 0.9:
                page = store.get(1, pool, 5, index)
                found = None if page is None else read(page, pool, 5, index)[1]
                assert found == left.get(index), f"index {index}: {found}, not {left.get(index)}"
            else:
                store.flush_page(1, pool, 5, index)
                left[index] = None

    return work


def test_what_one_thread_keeps_in_a_persistent_pool_stays_while_others_press():
    store = Store(24_000, page_size=PAGE_SIZE)
    swap, cache = store.new_pool(1, PERSIST), store.new_pool(1)

    def enough() -> bool:
        return store.counters().pages_reclaimed > 20

    crowd(
        enough,
        owner(store, swap, 1),
        owner(store, swap, 2),
        scribbler(store, [(1, cache, cache)], 3),
        reclaimer(store),
    )
    assert enough()
    audit(store)


def maker(store: Store, client: int, kinds: list[tuple[int, int | None]]) -> Callable[..., None]:
    """Makes pools, puts a page or two, and destroys them, all the time."""

    def work(stopped: Callable[[], bool]) -> None:
        rng = random.Random(client)
        while not stopped():
            try:
                pool = store.new_pool(client, *rng.choice(kinds))
            except OSError as error:
                if error.errno == ENOMEM:
                    continue
                raise
            for index in range(rng.randrange(4)):
                store.put(client, pool, 7, index, stamped(9, 7, index, client, index))
            assert store.destroy_pool(client, pool)

    return work


def tolerant(worker: Callable[..., None]) -> Callable[..., None]:
    """The worker, again and again although its pools end under its hands."""

    def work(stopped: Callable[[], bool]) -> None:
        while not stopped():
            try:
                worker(stopped)
            except OSError as error:
                if error.errno != ENODEV:
                    raise

    return work


@pytest.mark.parametrize("budget", [None, 30_000])
def test_pools_that_end_under_the_hands_of_others_leave_nothing(budget):
    store = Store(budget, page_size=PAGE_SIZE)
    kinds = [(0, None), (PERSIST, None), (SHARED, UUID), (PERSIST | SHARED, UUID + 1)]
    names = [(client, pool, 9) for client in (1, 2) for pool in range(2)]
    crowd(
        lambda: store.counters().pages_ended > 20,
        maker(store, 1, kinds),
        maker(store, 2, kinds),
        tolerant(intruder(store, names)),
        tolerant(batcher(store, names, 4)),
        reclaimer(store),
    )
    audit(store)
    counts = store.counters()
    assert (counts.pools, counts.pages, counts.bytes) == (0, 0, 0)
    assert counts.pages_ended > 20


def intruder(store: Store, names: list[tuple[int, int, int]]) -> Callable[..., None]:
    """Works with ids that may stand for any pool, or none."""

    def work(stopped: Callable[[], bool]) -> None:
        rng = random.Random()
        while not stopped():
            client, pool, which = rng.choice(names)
            index = rng.randrange(4)
            if rng.random() < 0.6:
                store.put(client, pool, 7, index, stamped(which, 7, index, client, index))
            else:
                page = store.get(client, pool, 7, index)
                assert page is None or read(page, which, 7, index)

    return work


class PageByPage(Store):
    """Flushes an object as if it were many pages, and lets others look when half of them are gone."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = 0
        for index in range(2 * PIECE):
            if index == PIECE:
                time.sleep(0.02)
            found += self.flush_page(client, pool, oid, index)
        return found > 0


def seen_during_flush(store: Store) -> list[bool]:
    """Hits and misses in a row, while one flush takes an object of several chunks."""
    pool = store.new_pool(1, PERSIST)
    for index in range(2 * PIECE):
        store.put(1, pool, 7, index, bytes(64))
    flusher = threading.Thread(target=store.flush_object, args=(1, pool, 7))
    order = random.Random(1).sample(range(2 * PIECE), 2 * PIECE)
    flusher.start()
    seen = []
    while flusher.is_alive():
        seen += [store.get(1, pool, 7, index) is not None for index in order[:20]]
        order = order[20:] + order[:20]
    flusher.join()
    return seen


def test_an_object_goes_at_one_instant():
    assert all(flush_atomic(seen_during_flush(Store(page_size=64))) for _ in range(10))


def test_a_flush_page_by_page_would_be_seen():
    assert not all(flush_atomic(seen_during_flush(PageByPage(page_size=64))) for _ in range(10))
