"""Threads take a lock while they have the interpreter, so that none is given it in its sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tmem.impl import Store, waiting
from tmem.impl.waiting import TRIES, take

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
    held = UNDER[lock](store, pool)
    pauses: list[bool] = []

    def pause() -> None:
        if held.locked():
            held.release()
        pauses.append(held.locked())

    monkeypatch.setattr(waiting, "pause", pause)
    held.acquire()
    rescue = threading.Timer(5, pause)  # else one that sleeps in `acquire` would do so forever
    rescue.start()
    assert OPERATIONS[operation](store, pool)
    rescue.cancel()
    assert pauses == [False]
    store.close()


def test_a_lock_that_is_not_let_go_is_waited_for_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[None] = []
    monkeypatch.setattr(waiting, "pause", lambda: pauses.append(None))
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(0.1, lock.release).start()
    take(lock)
    assert lock.locked()
    assert len(pauses) == TRIES
