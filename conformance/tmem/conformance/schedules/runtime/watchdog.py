"""Keeps runs undisturbed, and notices where one stands still in a real call that no schedule can end."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from tmem.conformance.schedules.runtime.places import file_name, innermost
from tmem.conformance.schedules.runtime.scheduler import control
from tmem.conformance.schedules.runtime.virtual import Stuck

PATIENCE = 2.0
"""Seconds without a switch point after which a run counts as standing still."""
REAL: Final = "real"
"""The kind of failure of a run that stood still."""


@contextmanager
def watched() -> Iterator[None]:
    """Runs in here fail, as Stuck of the kind REAL, where no switch point is reached for PATIENCE.

    They are watched where this is the main thread, which signals interrupt even in a call that waits for
    a lock. The collector is off: it would run finalizers of the target at points of its own choice.
    """
    collects = gc.isenabled()
    gc.disable()
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, Watch().tick) if main else None
    if main:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
    try:
        yield
    finally:
        if main:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        if collects:
            gc.collect(0)
            gc.enable()


class Watch:
    """Compares how far the run was at the last tick."""

    def __init__(self) -> None:
        self._seen: tuple[int, int, int] | None = None

    def tick(self, number: int, frame: FrameType | None) -> None:
        """The timer went off."""
        now = (control.runs, control.steps, control.left)
        if control.running and now == self._seen:
            raise Stuck(
                REAL,
                f"no switch point is reached{_at(innermost(frame))}: a real call waits, or a loop has none",
            )
        self._seen = now


def _at(frame: FrameType | None) -> str:
    return "" if frame is None else f" after {file_name(frame.f_code.co_filename)}:{frame.f_lineno}"
