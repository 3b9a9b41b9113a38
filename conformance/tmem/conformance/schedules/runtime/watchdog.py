"""Keeps executions undisturbed, and notices one that stands still in a real call."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from tmem.conformance.schedules.runtime.places import file_name, innermost
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import Stuck

PATIENCE = 2.0
"""Seconds without a switch point after which an execution stands still."""
REAL: Final = "real"
"""The kind of failure of an execution that stood still."""


@contextmanager
def watched(always: bool = False) -> Iterator[Watch]:
    """An execution in this context fails, as Stuck of the kind REAL, if it stands still for PATIENCE.

    That needs the main thread, whose calls a signal can interrupt while they wait for a lock; executions
    on other threads are not watched. The garbage collector is off: it would call finalizers of the target
    anywhere. With `always`, calls outside any execution are watched too.
    """
    collects = gc.isenabled()
    gc.disable()
    main = threading.current_thread() is threading.main_thread()
    watch = Watch(always)
    before = signal.signal(signal.SIGALRM, watch.tick) if main else None
    if main:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
    try:
        yield watch
    finally:
        if main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        if collects:
            gc.collect(0)
            gc.enable()


class Watch:
    """Compares two ticks of the timer: whether the execution went on. `stuck` says where it did not."""

    def __init__(self, always: bool = False) -> None:
        self._always = always
        self.stuck = ""
        self._seen: tuple[int, int, int] | None = None

    def tick(self, number: int, frame: FrameType | None) -> None:
        """The timer went off."""
        now = (scheduler.executions, scheduler.steps, scheduler.left)
        if (self._always or scheduler.running) and now == self._seen:
            where = _at(innermost(frame))
            self.stuck = f"no switch point is reached{where}: a real call waits, or a loop has none"
            raise Stuck(REAL, self.stuck)
        self._seen = now


def _at(frame: FrameType | None) -> str:
    return "" if frame is None else f" after {file_name(frame.f_code.co_filename)}:{frame.f_lineno}"
