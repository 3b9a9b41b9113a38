"""What a run is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tmem.conformance.run.hang import HANG_AFTER


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Request:
    """A run as it was asked for.

    `budget` is wall time in seconds; None: the counted run and no more. `limit` cuts a counted run that has
    no budget; such a run is complete if each engine has done a part of its work. `jobs` is how many workers
    run side by side.
    """

    target: str
    seed: int = 0
    level: str = "linearizable"
    budget: float | None = None
    hang_after: float = HANG_AFTER
    scale: float = 1.0
    shrink: float = 20.0
    """Seconds that making a hang or crash small may take."""
    jobs: int = 1
    confirm: int = 0
    """How often a finding that is no evidence by itself is replayed."""
    real_threads: bool = False
    """Whether schedules run on real threads, whatever the target uses."""
    own: tuple[str, ...] = ()
    """Installed packages in which schedules switch, as in the target's own code."""
    limit: float | None = None
