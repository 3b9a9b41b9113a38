"""Threads try a lock again while they have the interpreter, before they sleep for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.impl.held import held
from tmem.impl import Store, waiting
from tmem.impl.waiting import TRIES, owned, take

PAGE = bytes(range(256)) * 16
OPERATIONS: dict[str, Callable[[Store, int], object]] = {
    "put": lambda store, pool: store.put(1, pool, 5, 0, PAGE),
    "get": lambda store, pool: store.get(1, pool, 5, 0),
    "flush page": lambda store, pool: store.flush_page(1, pool, 5, 0),
    "put_many": lambda store, pool: store.put_many(1, pool, [(5, 0), (5, 1)], [PAGE, PAGE]),
    "get_many": lambda store, pool: store.get_many(1, pool, [(5, 0), (5, 1)]),
}
UNDER = {
    "the pool's": lambda store, pool: store._tables[1][pool].lock,
    "the room's": lambda store, pool: store._room.lock,
}


@pytest.mark.parametrize("lock", UNDER)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_waits_before_it_takes(
    monkeypatch: pytest.MonkeyPatch, operation: str, lock: str
) -> None:
    store = Store()
    pool = store.new_pool(1)
    store.put(1, pool, 5, 0, PAGE)
    store.put(1, pool, 5, 1, PAGE)
    pauses: list[None] = []
    with held(UNDER[lock](store, pool)) as release:

        def pause() -> None:
            release()
            pauses.append(None)

        monkeypatch.setattr(waiting, "pause", pause)
        rescue = threading.Timer(5, release)  # or else a thread that sleeps in `acquire` would do so forever
        rescue.start()
        assert OPERATIONS[operation](store, pool)
        rescue.cancel()
    assert len(pauses) == 1
    store.close()


def test_a_lock_that_stays_held_is_waited_for_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[None] = []
    monkeypatch.setattr(waiting, "pause", lambda: pauses.append(None))
    lock = threading.RLock()
    with held(lock) as release:
        threading.Timer(0.1, release).start()
        take(lock)
    assert owned(lock)
    assert len(pauses) == TRIES
