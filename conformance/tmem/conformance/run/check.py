"""What `tmem check` does: the counted round, then further seeds while there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finished, Note, Worked
from tmem.conformance.run.cluster import Cluster
from tmem.conformance.run.kept import again
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.replay import Replay
from tmem.conformance.run.request import Request
from tmem.conformance.run.round import Round
from tmem.conformance.run.side_by_side import Task, merged, waiting
from tmem.conformance.turn import Engine

CONFIRM: Final = 3
"""How often the command replays a finding that is no evidence by itself."""
LIMIT: Final = 50.0
"""Seconds of wall time that the engines get in a default run of the command, however slow the target is."""


def check(
    request: Request,
    engines: Sequence[Engine] = ENGINES,
    command: Sequence[str] = COMMAND,
    cluster: Cluster | None = None,
    kept: Mapping[Path, Replay] = MappingProxyType({}),
) -> Generator[Event, None, None]:
    """The events of a whole run; the last is Finished. Raises `supervisor.RunError`.

    The counted round has the request's seed. If the budget leaves time, further seeds follow until it ends;
    if it is too short, each engine gets its part of it, and the run is not complete. With a cluster its
    machines do the work; replays and what makes a crash small stay here. `kept` are failures of earlier runs,
    which are replayed first.
    """
    start = time.monotonic()
    seconds = request.limit if request.budget is None else request.budget
    until = None if seconds is None else start + seconds

    def one(seed: int) -> Round:
        return Round(request, seed, engines, command, until, cluster)

    yield from waiting(again(kept, request, engines, command, until))
    workers = request.jobs if cluster is None else cluster.workers
    counted = one(request.seed)
    complete = yield from waiting(counted.run(workers))
    if request.budget is None:
        complete = complete or (not counted.deaths and all(counted.done.values()))
    yield Worked(counted.done)
    if request.confirm:
        yield from waiting(counted.confirm(request.jobs))
    if cut := _cut(request, counted):
        yield Note(cut)
    if request.budget is not None and complete:
        seeds = request.seed + 1
        yield from waiting(merged([_further(one, count(seeds + lane, workers)) for lane in range(workers)]))
    yield Finished(complete, time.monotonic() - start)


def _further(one: Callable[[int], Round], seeds: Iterator[int]) -> Task[None]:
    """Round after round, each in one worker, until the time is up or a worker has died."""
    for seed in seeds:
        if not (yield from one(seed).run(1)):
            return


def _cut(request: Request, counted: Round) -> str:
    """Which engines time cut short, in words; empty where it did not."""
    if counted.until is None:
        return ""
    parts = ", ".join(f"{name} {done:.0%}" for name, done in counted.done.items() if done < 1)
    if not parts:
        return ""
    if request.budget is not None:
        return f"The budget was too short for the counted run. Done of it: {parts}."
    return (
        f"The target or the machine is slow. Done of the counted run: {parts}; --budget gives it more time."
    )
