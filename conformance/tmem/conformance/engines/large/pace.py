"""How fast a target is, and how much of the counted work fits the time that a default run may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tmem.conformance.engines.large.growth import resident
from tmem.conformance.turn import Turn

TRIES: Final = 12
"""Batches of which the fastest counts, since a machine that is busy makes the others slower."""
GROWTH: Final = 512 << 20
"""Bytes by which the process may grow."""
WAITS: Final = 3
"""How many times the processor time must have passed for a target to count as one that waits."""
CPU: Final = 28.0
"""Seconds of processor time after which the engine stops, however it was measured at the begin."""
WALL: Final = 40.0
"""Seconds after which it stops on a target that waits."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that an operation takes, judging included, and whether most of them are spent waiting."""

    seconds: float
    waits: bool


def measured(batch: Callable[[], int], tries: int = TRIES, most: float = 0.5) -> Pace:
    """The pace of the fastest of the batches that begin in `most` seconds; `batch` returns its operations."""
    wall = cpu = float("inf")
    begun = time.perf_counter()
    for _ in range(tries):
        start, used = time.perf_counter(), time.process_time()
        count = max(batch(), 1)
        wall = min(wall, (time.perf_counter() - start) / count)
        cpu = min(cpu, (time.process_time() - used) / count)
        if time.perf_counter() - begun > most:
            break
    return Pace(wall, wall > WAITS * cpu)


@dataclass(slots=True)
class Limits:
    """When to stop: at the end of the turn, of the time that the engine may take, or of memory."""

    turn: Turn
    waits: bool
    begun: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.process_time)
    memory: int | None = field(default_factory=resident)
    why: str = ""

    def reached(self) -> bool:
        """Whether to stop; `why` says what for."""
        if self.turn.over():
            self.why = "the time was over"
        elif time.process_time() - self.used > CPU or (self.waits and time.monotonic() - self.begun > WALL):
            self.why = "the target is slower where it holds many pages"
        elif self.memory is not None and (now := resident()) is not None and now - self.memory > GROWTH:
            self.why = f"the process grew by {GROWTH >> 20} MB"
        return bool(self.why)
