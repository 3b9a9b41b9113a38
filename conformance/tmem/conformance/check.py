"""What `tmem check` does: engines in order, worker after worker, until the run is complete or time is up."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import count

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finished
from tmem.conformance.job import Job
from tmem.conformance.process import COMMAND
from tmem.conformance.supervisor import HANG_AFTER, supervise
from tmem.conformance.trial import Engine


@dataclass(frozen=True, slots=True)
class Plan:
    """A run as it was asked for. `budget` is wall time in seconds; None: the counted run and no more."""

    target: str
    seed: int = 0
    level: str = "linearizable"
    budget: float | None = None
    hang_after: float = HANG_AFTER
    scale: float = 1.0


def check(
    plan: Plan, engines: Sequence[Engine] = ENGINES, command: Sequence[str] = COMMAND
) -> Generator[Event, None, None]:
    """The events of a whole run; the last is Finished. Raises `supervisor.RunError`.

    The counted run has the plan's seed. Where the budget leaves time, further seeds follow until it ends;
    where it does not suffice, the run is not complete.
    """
    start = time.monotonic()
    complete = False
    for seed in count(plan.seed):
        ended = yield from _round(plan, seed, engines, command, start)
        complete = complete or (ended and seed == plan.seed)
        if not ended or plan.budget is None or time.monotonic() - start >= plan.budget:
            break
    yield Finished(complete, time.monotonic() - start)


def _round(
    plan: Plan, seed: int, engines: Sequence[Engine], command: Sequence[str], start: float
) -> Generator[Event, None, bool]:
    """Every engine once; returns whether each came to its end."""
    names = [engine.name for engine in engines]
    complete = True
    while names:
        left = None if plan.budget is None else start + plan.budget - time.monotonic()
        if left is not None and left <= 0:
            return False
        job = Job(plan.target, seed, tuple(names), plan.level, plan.scale, left)
        end = yield from supervise(job, engines, plan.hang_after, command)
        complete = complete and end.complete
        if end.engine not in names:  # it came to its end, or died where no engine could begin
            break
        names = names[names.index(end.engine) + 1 :]
    return complete
