"""The virtual primitives: they do what those of `threading` do, and say who waits for whom."""

from __future__ import annotations

import threading as real
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tmem.conformance.schedules.control import FAIR, control, order
from tmem.conformance.schedules.modules import threading as virtual
from tmem.conformance.schedules.modules import time as virtual_time
from tmem.conformance.schedules.strategies import Follow, Priorities, Sticky
from tmem.conformance.schedules.virtual import FOREVER, Calm, Strategy, Stuck, VirtualThread


@pytest.fixture(params=[real, virtual], ids=["real", "virtual"])
def threading(request: Any) -> Iterator[ModuleType]:
    """Each test of this module runs on real threads, too: they are the peer."""
    control.begin(Calm(), 100_000)
    yield request.param
    control.end()


def together(threading: Any, *bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def under(strategy: Strategy, *bodies: Callable[[], None], limit: int = 10_000) -> None:
    """Run threads of a program under a strategy; Stuck where they cannot go on."""
    control.begin(strategy, limit)
    try:
        for n, body in enumerate(bodies):
            control.spawn(body, f"thread {n + 1}", background=False)
        control.release()
    finally:
        control.end()


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
    lock, told = threading.Lock(), []
    lock.acquire()

    def wait() -> None:
        with lock:
            told.append("got it")

    together(threading, wait, lock.release)
    assert told == ["got it"]


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
    event, told = threading.Event(), []
    assert not event.wait(0.001)

    def wait() -> None:
        told.append(event.wait())

    together(threading, wait, wait, event.set)
    assert told == [True, True]
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
    control.begin(Calm(), 1_000)
    woke: list[tuple[str, float]] = []

    def sleep(name: str, seconds: float) -> None:
        virtual_time.sleep(seconds)
        woke.append((name, virtual_time.monotonic()))

    together(virtual, lambda: sleep("long", 3600), lambda: sleep("short", 60), lambda: sleep("none", 0))
    control.end()
    assert woke == [("none", 0), ("short", 60), ("long", 3600)]


def test_a_deadlock_names_who_waits_and_who_holds() -> None:
    one, two = virtual.Lock(), virtual.Lock()

    def take(first: Any, second: Any) -> Callable[[], None]:
        def body() -> None:
            with first, second:
                pass

        return body

    found: set[str] = set()
    for seed in range(50):
        try:
            under(Sticky(seed, 2), take(one, two), take(two, one))
        except Stuck as stuck:
            found.add(f"{stuck.kind}: {stuck.text}")
        one, two = virtual.Lock(), virtual.Lock()
    assert found == {
        "deadlock: thread 1 waits for a lock, held by thread 2; thread 2 waits for a lock, held by thread 1"
    }


def test_a_lock_taken_twice_is_held_by_itself() -> None:
    lock = virtual.Lock()

    def twice() -> None:
        with lock, lock:
            pass

    with pytest.raises(Stuck, match="thread 1 waits for a lock, held by itself"):
        under(Calm(), twice)


def test_a_lost_wakeup_is_a_deadlock() -> None:
    def once(seed: int) -> None:
        condition = virtual.Condition()
        ready: list[int] = []

        def wait() -> None:
            if not ready:  # looked at without the lock
                with condition:
                    condition.wait()

        def wake() -> None:
            control.point()
            ready.append(1)
            with condition:
                condition.notify()

        under(Sticky(seed, 2), lambda: (control.point(), wait())[1], wake)

    told = set()
    for seed in range(60):
        try:
            once(seed)
        except Stuck as stuck:
            told.add(stuck.text)
    assert told == {"thread 1 waits for a notify"}


def test_waiting_for_what_only_a_polling_thread_could_bring_is_a_deadlock() -> None:
    def main() -> None:
        event = virtual.Event()

        def poll() -> None:
            while True:
                virtual_time.sleep(1)

        virtual.Thread(target=poll, daemon=True).start()
        event.wait()

    with pytest.raises(Stuck, match="thread 1 waits for an event"):
        under(Calm(), main)


def test_a_thread_that_spins_lets_others_go_on() -> None:
    flag: list[int] = []

    def spin() -> None:
        while not flag:
            control.point()

    under(Calm(), spin, lambda: flag.append(1))
    assert control.steps < FAIR


def test_threads_that_spin_for_ever_are_a_livelock() -> None:
    def spin() -> None:
        while True:
            control.point()

    with pytest.raises(Stuck, match=r"after 10000 switch points it still goes on") as caught:
        under(Calm(), spin, spin, limit=5_000)
    assert caught.value.kind == "livelock"


def test_threads_that_poll_for_one_that_a_strategy_starves_are_no_livelock() -> None:
    class Last(Calm):
        """Lets the highest of all go on, so that those who sleep wake each other."""

        def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
            return max(ready, key=order)

    flag: list[int] = []
    polls: list[int] = []

    def poll() -> None:
        while not flag:
            polls.append(1)
            virtual_time.sleep(0.001)

    under(Last(), lambda: flag.append(len(polls)), poll, poll, limit=500)
    assert flag[0] > 400


def test_threads_left_behind_are_ended_and_their_locks_given_up() -> None:
    ended: list[str] = []
    lock = virtual.Lock()

    def hold() -> None:
        try:
            with lock:
                virtual.Event().wait()
        finally:
            ended.append("hold")

    with pytest.raises(Stuck):
        under(Calm(), hold)
    assert ended == ["hold"]
    assert not lock.locked()


@pytest.mark.parametrize("make", [lambda n: Sticky(n, 3), lambda n: Priorities(n, 3, 20)])
def test_every_run_is_repeated_by_its_preemptions(make: Callable[[int], Strategy]) -> None:
    def once(strategy: Strategy) -> tuple[list[int], Any]:
        order: list[int] = []
        lock, semaphore = virtual.Lock(), virtual.Semaphore(1)

        def body(name: int) -> Callable[[], None]:
            def run() -> None:
                for n in range(2):
                    control.begin_operation(n)
                    with lock:
                        order.append(name)
                    virtual_time.sleep(0.1)
                    with semaphore:
                        order.append(name)

            return run

        control.begin(strategy, FOREVER)
        for name in range(3):
            control.spawn(body(name), f"thread {name}", background=False)
        control.release()
        preemptions = list(control.preemptions)
        control.end()
        return order, preemptions

    orders = set()
    for seed in range(200):
        order, preemptions = once(make(seed))
        orders.add(tuple(order))
        assert once(Follow(preemptions)) == (order, preemptions)
    assert len(orders) > 50


def test_priorities_find_each_bug_of_depth_two_about_as_often_as_is_proven() -> None:
    # One thread must be stopped at the right one of 18 points: 1 / (2 threads x 20 points) at least.
    def once(seed: int) -> int:
        at = seen = 0

        def first() -> None:
            nonlocal at
            while at < 18:
                at += 1
                control.point()

        def second() -> None:
            nonlocal seen
            seen = at

        under(Priorities(seed, 2, 20), first, second)
        return seen

    runs = 4_000
    counts = Counter(once(seed) for seed in range(runs))
    assert min(counts[point] for point in range(1, 19)) > runs / 40 * 0.6
