"""A piece of a run: some engines for one seed, in a worker, and in another where one died."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding
from tmem.conformance.run.hang import TICK
from tmem.conformance.run.messages import Job
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import Task, waiting
from tmem.conformance.run.supervisor import supervise
from tmem.conformance.turn import Engine


@dataclass(frozen=True, slots=True)
class Piece:
    """The engines of these names, in order, for one seed of a request."""

    request: Request
    seed: int
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a piece ended: whether all of it is done, how much of each engine is (0 to 1), and what died.

    An engine in which a worker died is not among those of `done`.
    """

    complete: bool
    done: dict[str, float]
    deaths: tuple[Finding, ...] = ()


def work(
    piece: Piece,
    until: float | None,
    engines: Sequence[Engine] = ENGINES,
    command: Sequence[str] = COMMAND,
) -> Task[Ended]:
    """Do a piece until it is done or the time is up, in `time.monotonic` seconds. Raises RunError."""
    request, names = piece.request, list(piece.engines)
    complete, done, deaths = True, dict.fromkeys(names, 0.0), []
    while names:
        if until is not None and until <= time.monotonic():
            complete = False
            break
        job = Job(
            request.target,
            piece.seed,
            tuple(names),
            request.level,
            request.scale,
            until,
            real_threads=request.real_threads,
            own=request.own,
        )
        end = yield from supervise(job, engines, request.hang_after, command, TICK / request.jobs)
        complete = complete and end.complete
        done.update(end.done)
        done.pop(end.engine, None)  # its death is reported
        if end.death is not None:
            deaths.append(end.death)
        if end.engine not in names:  # all have ended, or it died where no engine could begin
            break
        names = [name for name in names if name != end.engine and end.done.get(name, 0.0) < 1]
    return Ended(complete, done, tuple(deaths))


def whole(piece: Piece, seconds: float | None) -> tuple[list[Event], Ended]:
    """Do a piece in at most these seconds. Returns its events and how it ended. Raises RunError."""
    events: list[Event] = []
    task = waiting(work(piece, None if seconds is None else time.monotonic() + seconds))
    while True:
        try:
            events.append(next(task))
        except StopIteration as stop:
            ended: Ended = stop.value
            return events, ended
