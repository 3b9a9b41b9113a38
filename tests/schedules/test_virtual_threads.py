"""The virtual primitives: they do what those of `threading` do, and say who waits for whom."""

from __future__ import annotations

import threading as real
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tmem.conformance.schedules.runtime.modules import threading as virtual
from tmem.conformance.schedules.runtime.modules import time as virtual_time
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import NeverPreempt


@pytest.fixture(params=[real, virtual], ids=["real", "virtual"])
def threading(request: Any) -> Iterator[ModuleType]:
    """Each test of this module runs on real threads, too: they are the peer."""
    scheduler.begin(NeverPreempt(), 100_000)
    yield request.param
    scheduler.end()


def together(threading: Any, *bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_lock(threading: Any) -> None:
    lock = threading.Lock()
    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(blocking=False)
    assert not lock.acquire(timeout=0.001)
    lock.release()
    with lock, pytest.raises(ValueError, match="timeout"):
        lock.acquire(False, 1)
    with pytest.raises(ValueError, match="timeout"):
        lock.acquire(True, -2)
    with pytest.raises(RuntimeError):
        lock.release()


def test_a_lock_may_be_released_by_another(threading: Any) -> None:
    lock, results = threading.Lock(), []
    lock.acquire()

    def wait() -> None:
        with lock:
            results.append("got it")

    together(threading, wait, lock.release)
    assert results == ["got it"]


def test_rlock(threading: Any) -> None:
    lock, seen = threading.RLock(), []
    with lock, lock:
        assert lock._is_owned()
        together(threading, lambda: seen.append(lock.acquire(blocking=False)))
    assert seen == [False]
    with pytest.raises(RuntimeError):
        lock.release()


@pytest.mark.parametrize("inner", ["Lock", "RLock", None])
def test_condition(threading: Any, inner: str | None) -> None:
    condition = threading.Condition(None if inner is None else getattr(threading, inner)())
    items: list[int] = []
    taken: list[int] = []

    def take() -> None:
        for _ in range(3):
            with condition:
                assert condition.wait_for(lambda: items)
                taken.append(items.pop(0))

    def give() -> None:
        for n in range(6):
            with condition:
                items.append(n)
                condition.notify()

    together(threading, take, take, give)
    assert sorted(taken) == list(range(6))
    with condition:
        assert not condition.wait(timeout=0.001)
        assert not condition.wait_for(lambda: False, timeout=0.001)
    with pytest.raises(RuntimeError):
        condition.notify_all()
    with pytest.raises(RuntimeError):
        condition.wait()


@pytest.mark.parametrize("name", ["Semaphore", "BoundedSemaphore"])
def test_semaphore(threading: Any, name: str) -> None:
    semaphore = getattr(threading, name)(2)
    inside, most = 0, 0

    def visit() -> None:
        nonlocal inside, most
        for _ in range(3):
            with semaphore:
                inside += 1
                most = max(most, inside)
                inside -= 1

    together(threading, visit, visit, visit)
    assert most <= 2
    assert semaphore.acquire()
    assert semaphore.acquire()
    assert not semaphore.acquire(blocking=False)
    assert not semaphore.acquire(timeout=0.001)
    semaphore.release(2)
    if name == "BoundedSemaphore":
        with pytest.raises(ValueError, match="too many"):
            semaphore.release()
    with pytest.raises(ValueError, match=">= 0"):
        getattr(threading, name)(-1)


def test_event(threading: Any) -> None:
    event, results = threading.Event(), []
    assert not event.wait(0.001)

    def wait() -> None:
        results.append(event.wait())

    together(threading, wait, wait, event.set)
    assert results == [True, True]
    assert event.is_set()
    event.clear()
    assert not event.is_set()


def test_barrier(threading: Any) -> None:
    opened: list[str] = []
    barrier = threading.Barrier(3, action=lambda: opened.append("open"))
    indexes: list[int] = []

    def meet() -> None:
        indexes.append(barrier.wait())
        indexes.append(barrier.wait())

    together(threading, meet, meet, meet)
    assert sorted(indexes) == [0, 0, 1, 1, 2, 2]
    assert opened == ["open", "open"]
    broken: list[bool] = []

    def alone() -> None:
        try:
            barrier.wait(0.001)
        except threading.BrokenBarrierError:
            broken.append(barrier.broken)

    together(threading, alone)
    assert broken == [True]
    barrier.reset()
    assert not barrier.broken
    barrier.abort()
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait()


def test_local(threading: Any) -> None:
    class Own(threading.local):  # type: ignore[misc]
        def __init__(self, start: int) -> None:
            self.items = [start]

    own, plain = Own(7), threading.local()
    own.items.append(8)
    plain.x = 1
    seen: list[object] = []

    def look() -> None:
        seen.append(list(own.items))
        seen.append(hasattr(plain, "x"))
        own.items.append(9)
        plain.x = 2
        del plain.x

    together(threading, look, look)
    assert seen == [[7], False, [7], False]
    assert own.items == [7, 8]
    assert plain.x == 1


def test_threads(threading: Any) -> None:
    names: list[object] = []

    class Mine(threading.Thread):  # type: ignore[misc]
        def run(self) -> None:
            me = threading.current_thread()
            names.append((me is self, me.name, me.ident == threading.get_ident(), me.is_alive(), me.daemon))

    mine = Mine(name="mine", daemon=True)
    assert mine.ident is None
    assert not mine.is_alive()
    with pytest.raises(RuntimeError):
        mine.join()
    mine.start()
    mine.join()
    assert names == [(True, "mine", True, True, True)]
    assert not mine.is_alive()
    with pytest.raises(RuntimeError):
        mine.start()
    with pytest.raises(RuntimeError):
        threading.current_thread().join()
    assert threading.main_thread() is threading.current_thread()
    assert threading.current_thread() in threading.enumerate()


def test_timer(threading: Any) -> None:
    called: list[int] = []
    timer, never = threading.Timer(0.001, called.append, [1]), threading.Timer(30, called.append, [2])
    timer.start()
    never.start()
    never.cancel()
    timer.join()
    never.join()
    assert called == [1]


def test_virtual_time_passes_only_where_nobody_else_can_go_on() -> None:
    scheduler.begin(NeverPreempt(), 1_000)
    woke: list[tuple[str, float]] = []

    def sleep(name: str, seconds: float) -> None:
        virtual_time.sleep(seconds)
        woke.append((name, virtual_time.monotonic()))

    together(virtual, lambda: sleep("long", 3600), lambda: sleep("short", 60), lambda: sleep("none", 0))
    scheduler.end()
    assert woke == [("none", 0), ("short", 60), ("long", 3600)]
