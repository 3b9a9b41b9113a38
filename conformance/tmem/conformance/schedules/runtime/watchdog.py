"""Keeps executions undisturbed, and notices one that stands still in a real call."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Final

from tmem.conformance.schedules.runtime.outside import is_blocked
from tmem.conformance.schedules.runtime.places import file_name, innermost
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import Stuck

PATIENCE = 2.0
"""Seconds without a switch point after which an execution stands still."""
REAL: Final = "real"
"""The kind of failure of an execution that stood still."""
TICK: Final = 5e-4
"""Seconds between two looks whether the thread that runs goes on."""
UNDISTURBED: Final = 1e4
"""Seconds after which Python may switch real threads by itself: never during an execution."""


@contextmanager
def watched(real_threads: bool = False, always: bool = False) -> Iterator[Watch]:
    """Keep the executions in this context undisturbed, and notice when one stands still.

    The garbage collector is off: it would call finalizers of the target anywhere. On greenlets an execution
    that reaches no switch point for PATIENCE fails, as Stuck of the kind REAL; that needs the main thread,
    whose calls a signal can interrupt while they wait for a lock. With `always`, calls outside any execution
    are watched too. On real threads another thread goes on where the current one is blocked outside Python.
    """
    watch = Watch(always)
    collects = gc.isenabled()
    gc.disable()
    try:
        with _real_threads_watched() if real_threads else _greenlets_watched(watch):
            yield watch
    finally:
        if collects:
            gc.collect(0)
            gc.enable()


@contextmanager
def _greenlets_watched(watch: Watch) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, watch.tick)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _real_threads_watched() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(UNDISTURBED)
    over = threading.Event()
    watching = threading.Thread(target=_watch_outside, args=(over,), daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        sys.setswitchinterval(usual)
        watching.join()


def _watch_outside(over: threading.Event) -> None:
    # The state of the thread that holds the baton, while it passes no switch points. Only its number is kept:
    # whoever holds the last reference to a thread of the target runs the target's finalizers.
    seen = None
    while not over.is_set():
        time.sleep(TICK)
        native, now = scheduler.current.carrier.native if scheduler.running else 0, progress()
        if not native or now != seen or _went_on(now):
            seen = now
        elif is_blocked(native, partial(_went_on, now)):
            _let_another_go_on()


def _let_another_go_on() -> None:
    # The current thread is blocked outside Python.
    me = scheduler.current
    scheduler.count_points()
    me.points += 1
    scheduler.steps += 1
    scheduler.queue.wait(me, scheduler.outside, "a call outside Python")
    scheduler.outside.add(me)
    inside = scheduler.main.waiting is not scheduler
    to = scheduler.follow(me)
    if to is None or (inside and scheduler.failure is not None):
        return  # MAIN fails where it is in the target
    scheduler.enter(to)
    to.carrier.resume()


def _went_on(since: tuple[int, int, int, int]) -> bool:
    return scheduler.outside.looking or progress() != since or scheduler.current.carrier.parked


class Watch:
    """Compares two ticks of the timer: whether the execution went on. `stuck` says where it did not."""

    def __init__(self, always: bool = False) -> None:
        self._always = always
        self.stuck = ""
        self._seen: tuple[int, int, int, int] | None = None

    def tick(self, number: int, frame: FrameType | None) -> None:
        """The timer went off."""
        now = progress()
        if (self._always or scheduler.running) and now == self._seen:
            where = _at(innermost(frame))
            self.stuck = f"no switch point is reached{where}: a real call waits, or a loop has none"
            raise Stuck(REAL, self.stuck)
        self._seen = now


def progress() -> tuple[int, int, int, int]:
    """Equal if no thread went on in between."""
    return scheduler.executions, scheduler.steps, scheduler.left, scheduler.current.index


def _at(frame: FrameType | None) -> str:
    return "" if frame is None else f" after {file_name(frame.f_code.co_filename)}:{frame.f_lineno}"
