"""The scheduler: who goes on, who is stuck for good and why; preemptions repeat an execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tmem.conformance.schedules.runtime.modules import threading as virtual
from tmem.conformance.schedules.runtime.modules import time as virtual_time
from tmem.conformance.schedules.runtime.scheduler import FAIR, scheduler
from tmem.conformance.schedules.runtime.strategies import Follow, Priorities, Sticky
from tmem.conformance.schedules.runtime.virtual import (
    FOREVER,
    NeverPreempt,
    Strategy,
    Stuck,
    VirtualThread,
    order,
)


def under(strategy: Strategy, *bodies: Callable[[], None], limit: int = 10_000) -> None:
    """Execution threads of a program under a strategy; Stuck where they cannot go on."""
    scheduler.begin(strategy, limit)
    try:
        for n, body in enumerate(bodies):
            scheduler.spawn(body, f"thread {n + 1}", background=False)
        scheduler.release()
    finally:
        scheduler.end()


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
        under(NeverPreempt(), twice)


def test_a_lost_wakeup_is_a_deadlock() -> None:
    def once(seed: int) -> None:
        condition = virtual.Condition()
        ready: list[int] = []

        def wait() -> None:
            if not ready:  # looked at without the lock
                with condition:
                    condition.wait()

        def wake() -> None:
            scheduler.point()
            ready.append(1)
            with condition:
                condition.notify()

        under(Sticky(seed, 2), lambda: (scheduler.point(), wait())[1], wake)

    texts = set()
    for seed in range(60):
        try:
            once(seed)
        except Stuck as stuck:
            texts.add(stuck.text)
    assert texts == {"thread 1 waits for a notify"}


def test_waiting_for_what_only_a_polling_thread_could_bring_is_a_deadlock() -> None:
    def main() -> None:
        event = virtual.Event()

        def poll() -> None:
            while True:
                virtual_time.sleep(1)

        virtual.Thread(target=poll, daemon=True).start()
        event.wait()

    with pytest.raises(Stuck, match="thread 1 waits for an event"):
        under(NeverPreempt(), main)


def test_a_thread_that_spins_lets_others_go_on() -> None:
    flag: list[int] = []

    def spin() -> None:
        while not flag:
            scheduler.point()

    under(NeverPreempt(), spin, lambda: flag.append(1))
    assert scheduler.steps < FAIR


def test_threads_that_spin_for_ever_are_a_livelock() -> None:
    def spin() -> None:
        while True:
            scheduler.point()

    with pytest.raises(Stuck, match=r"after 10000 switch points it still goes on") as caught:
        under(NeverPreempt(), spin, spin, limit=5_000)
    assert caught.value.kind == "livelock"


def test_threads_that_poll_for_one_that_a_strategy_starves_are_no_livelock() -> None:
    class Last(NeverPreempt):
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
        under(NeverPreempt(), hold)
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
                    scheduler.begin_operation(n)
                    with lock:
                        order.append(name)
                    virtual_time.sleep(0.1)
                    with semaphore:
                        order.append(name)

            return run

        scheduler.begin(strategy, FOREVER)
        for name in range(3):
            scheduler.spawn(body(name), f"thread {name}", background=False)
        scheduler.release()
        preemptions = list(scheduler.preemptions)
        scheduler.end()
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
                scheduler.point()

        def second() -> None:
            nonlocal seen
            seen = at

        under(Priorities(seed, 2, 20), first, second)
        return seen

    runs = 4_000
    counts = Counter(once(seed) for seed in range(runs))
    assert min(counts[point] for point in range(1, 19)) > runs / 40 * 0.6
