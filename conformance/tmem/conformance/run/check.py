"""What `tmem check` does: engines in order, worker after worker, until the run is complete or time is up."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from tmem.conformance.engine import Engine
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding, Finished, Found, Note, TurnBegan
from tmem.conformance.run.crash import smaller
from tmem.conformance.run.hang import HANG_AFTER
from tmem.conformance.run.messages import Job
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.supervisor import End, RunError, supervise

QUICK: Final = 1.0
"""Seconds after which an operation counts as hung while its program is made small; the result is checked."""


@dataclass(frozen=True, slots=True)
class Request:
    """A run as it was asked for. `budget` is wall time in seconds; None: the counted run and no more."""

    target: str
    seed: int = 0
    level: str = "linearizable"
    budget: float | None = None
    hang_after: float = HANG_AFTER
    scale: float = 1.0
    shrink: float = 20.0
    """Seconds that making a hang or crash small may take."""


def check(
    request: Request, engines: Sequence[Engine] = ENGINES, command: Sequence[str] = COMMAND
) -> Generator[Event, None, None]:
    """The events of a whole run; the last is Finished. Raises `supervisor.RunError`.

    The counted run has the request's seed. Where the budget leaves time, further seeds follow until it ends;
    where it does not suffice, each engine gets its part of it, and the run is not complete.
    """
    start = time.monotonic()
    complete = False
    for seed in count(request.seed):
        work = _Round(request, seed, engines, command, start)
        ended = yield from work.events()
        complete = complete or (ended and seed == request.seed)
        if seed == request.seed and (cut := work.cut()):
            yield Note(cut)
        if not ended or request.budget is None or time.monotonic() - start >= request.budget:
            break
    yield Finished(complete, time.monotonic() - start)


class _Round:
    """One seed: every engine once, in as many workers as it takes."""

    def __init__(
        self, request: Request, seed: int, engines: Sequence[Engine], command: Sequence[str], start: float
    ) -> None:
        self._request = request
        self._seed = seed
        self._engines = engines
        self._command = command
        self._until = None if request.budget is None else start + request.budget
        self._shrunk = False

    def events(self) -> Generator[Event, None, bool]:
        """Run; returns whether each engine came to its end."""
        names = [engine.name for engine in self._engines]
        complete = True
        self._done = dict.fromkeys(names, 0.0)
        while names:
            left = self._left()
            if left is not None and left <= 0:
                return False
            job = Job(
                self._request.target, self._seed, tuple(names), self._request.level, self._request.scale, left
            )
            end = yield from supervise(job, self._engines, self._request.hang_after, self._command)
            complete = complete and end.complete
            self._done.update(end.done)
            self._done.pop(end.engine, None)  # what it died of is told
            if end.death is not None and not self._shrunk:
                self._shrunk = True
                yield from self._smaller(end.death)
            if end.engine not in names:  # it came to its end, or died where no engine could begin
                break
            names = [name for name in names if name != end.engine and name not in end.done]
        return complete

    def cut(self) -> str:
        """Which engines the budget cut short, in words; empty where it did not."""
        if self._request.budget is None:
            return ""
        parts = ", ".join(f"{name} {done:.0%}" for name, done in self._done.items() if done < 1)
        return f"The budget was too short for the counted run. Done of it: {parts}." if parts else ""

    def _left(self) -> float | None:
        return None if self._until is None else self._until - time.monotonic()

    def _smaller(self, death: Finding) -> Iterator[Event]:
        left = self._left()
        seconds = self._request.shrink if left is None else min(left, self._request.shrink)
        if seconds <= 0:
            return
        yield TurnBegan(death.engine, "making its counterexample smaller", 0.0)
        quick = min(self._request.hang_after, max(QUICK, self._request.hang_after / 5))
        small = smaller(death, lambda data: self._again(data, quick), seconds)
        if small is not None and (sure := self._again(small.replay, self._request.hang_after)):
            yield Found(sure)

    def _again(self, data: dict[str, object], hang_after: float) -> Finding | None:
        """Run replay data in a worker; what was found of its death."""
        job = Job(self._request.target, self._seed, (str(data["engine"]),), self._request.level, replay=data)
        watched = supervise(job, self._engines, hang_after, self._command)
        try:
            while True:
                next(watched)
        except StopIteration as stop:
            end: End = stop.value
            return end.death
        except RunError:
            return None
