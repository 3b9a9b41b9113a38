"""The supervisor: runs a worker and outlives whatever the target does to it.

It passes the worker's events on and watches its heartbeat. A worker whose target hangs or dies becomes a
finding of TMEM-CONC-3 with the operations that led there. `hang` says which time counts against the target.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding, Finished, Found, Note, Progress, Started, TurnBegan
from tmem.conformance.remote.server import listener
from tmem.conformance.run.crash import Death, cause, finding
from tmem.conformance.run.hang import HANG_AFTER, TICK, Watch, in_target
from tmem.conformance.run.heartbeat import Doing
from tmem.conformance.run.messages import Broke, Job, TurnEnded, Unusable
from tmem.conformance.run.process import COMMAND, Process
from tmem.conformance.run.side_by_side import Task
from tmem.conformance.turn import Engine

GRACE: Final = 0.5
"""Seconds that a worker has after its time is up, before it is ended."""
PRINTED: Final = 500
"""Characters of what the target printed that a finding keeps."""
LINGER: Final = 10
"""Looks at a dead worker whose children keep its pipes open."""
OUTSIDE: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""Signals by which people and init systems end processes: no finding."""


class RunError(Exception):
    """The run cannot go on: the target cannot be used, or the suite itself failed (then with `details`)."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True, slots=True)
class End:
    """How a worker ended: by itself, or dead in `engine` (empty: in none), with what was found of it."""

    complete: bool
    engine: str = ""
    death: Finding | None = None
    done: Mapping[str, float] = field(default_factory=dict)
    """How much of its work each engine did that had a turn, 0 to 1."""


def supervise(
    job: Job,
    engines: Iterable[Engine] = ENGINES,
    hang_after: float = HANG_AFTER,
    command: Sequence[str] = COMMAND,
    tick: float = TICK,
) -> Task[End]:
    """Run a job in a worker: yields its events, and a finding if it dies; returns how it ended.

    It yields None after every `tick` seconds, and when all is read that the worker has sent.

    Closing the generator ends the worker and everything it started. Raises RunError.
    """
    with tempfile.TemporaryDirectory(prefix="tmem-") as folder:
        process = Process(job, Path(folder), command)
        try:
            return (yield from _Attendance(process, job, engines, hang_after, tick).events())
        finally:
            process.end()


class _Attendance:
    """The supervisor of one worker."""

    def __init__(
        self, process: Process, job: Job, engines: Iterable[Engine], hang_after: float, tick: float
    ) -> None:
        self._tick = tick
        self._process = process
        self._engines = {engine.name: engine for engine in engines}
        self._hang_after = hang_after
        self._deadline = None if job.until is None else job.until + GRACE
        self._started = False
        self._engine = ""
        self._done: dict[str, float] = {}
        self._watch = Watch(process.pid, hang_after, listener(job.target))
        self._suite_works = False

    def events(self) -> Task[End]:
        process, linger = self._process, LINGER
        while True:
            exit_code = process.exit_code  # before reading: what it wrote before it died is read then
            messages = process.messages(self._tick)
            for message in messages:
                match message:
                    case Finished(complete):
                        yield from self._strange()
                        return End(complete, done=self._done)
                    case Unusable(reason):
                        raise RunError(reason)
                    case Broke(_, error, details):
                        raise RunError(f"the suite itself failed, a defect of tmem: {error}", details)
                    case TurnEnded(engine, done):
                        self._engine = ""
                        self._done[engine] = done
                    case Found(found):
                        yield Found(replace(found, output=process.output[-PRINTED:].strip()))
                    case _:
                        self._note(message)
                        yield message
            yield None
            if exit_code is not None:
                linger -= 1
                if not messages and (process.drained or linger < 0):
                    if -exit_code in OUTSIDE:
                        yield Note(f"Something outside {cause(exit_code)}: the run is not complete.")
                        return End(complete=False, done=self._done)
                    return (yield from self._died(cause(exit_code)))
            elif self._hangs(bool(messages)):
                return (yield from self._died(None))
            elif self._deadline is not None and time.monotonic() > self._deadline:
                return End(complete=False, done=self._done)

    def _note(self, event: Event) -> None:
        self._started = self._started or isinstance(event, Started)
        if isinstance(event, TurnBegan):
            self._engine = event.engine
        elif isinstance(event, Progress):
            self._done[event.engine] = max(self._done.get(event.engine, 0.0), event.done)

    def _hangs(self, reported: bool) -> bool:
        ring = self._process.ring
        beats = ring.beats()
        quiet = self._watch.quiet(beats, reported)
        if quiet == 0.0:
            self._suite_works = False
        doing = ring.read().doing
        if quiet < self._watch.limit(Doing.RESTING if self._suite_works else doing):
            return False
        if self._suite_works:
            return True
        self._process.write_stacks()
        if ring.beats() != beats:
            return False
        self._suite_works = doing is Doing.CALLING and not in_target(self._process.stacks)
        return not self._suite_works

    def _died(self, how: str | None) -> Generator[Event, None, End]:
        """Report how the worker died; None: it hung."""
        yield from self._strange()
        process, under_way = self._process, self._process.ring.read()
        doing = under_way.doing
        if how is None and (doing is Doing.RESTING or self._suite_works):
            raise RunError(
                f"the suite itself failed, a defect of tmem: {self._engine} stands still", process.stacks
            )
        patience = self._watch.limit(doing)
        predicate = how or f"does not return within {patience:,.10g} s"
        if not self._started and doing in (Doing.LOADING, Doing.MAKING):
            what = "importing" if doing is Doing.LOADING else "making a backend with"
            hint = "" if how else "; --hang-after SECONDS gives it more time"
            raise RunError(
                f"the target could not be loaded: {what} it {predicate}{hint}",
                process.stacks + process.output,
            )
        if not self._started and doing is Doing.RESTING:
            raise RunError(
                f"the suite itself failed, a defect of tmem: its worker {predicate}", process.output
            )
        death = Death(predicate, how is None, under_way, process.stacks, process.output)
        found = finding(death, self._engines.get(under_way.engine))
        yield Found(found)
        return End(complete=False, engine=self._engine, death=found, done=self._done)

    def _strange(self) -> Generator[Event, None, None]:
        if count := self._process.strange:
            yield Note(f"{count} lines that the worker sent were no events, and were dropped")
