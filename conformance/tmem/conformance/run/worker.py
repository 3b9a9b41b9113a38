"""The worker process: engines and target together, in an interpreter that nothing else needs.

Life cycle: prepare to die well, load the target, shake hands, run each engine, tell that it is
finished, leave at once. A target may end the process at any point; the supervisor copes.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

from tmem.conformance.engine import Engine, Trial
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finished, Note, Phase, Progress, Started
from tmem.conformance.run.heartbeat import HANDSHAKE, Ring
from tmem.conformance.run.messages import Broke, Done, Job, Message, Unusable, encode
from tmem.conformance.run.time_slices import Turns
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.targets.target import Target, TargetError
from tmem.spec.backend import Backend

SLOW = 1.0
"""Seconds that making a backend may take before the user is told what that means."""
_PR_SET_PDEATHSIG = 1


class Pipe:
    """The way to the supervisor, for any thread of this process, and for no process forked from it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Write the message whole; leave at once where nobody reads any more."""
        if os.getpid() != self._owner:
            return
        line = memoryview(encode(message))
        with self._lock:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BrokenPipeError:
                    os._exit(1)


def main(engines: Iterable[Engine] = ENGINES) -> None:
    """Do the job of the command line: `worker DESCRIPTOR RING STACKS JOB`."""
    descriptor, ring, stacks, job = sys.argv[1:]
    _prepare(Path(stacks))
    pipe = Pipe(int(descriptor))
    try:
        _work(Job.from_json(job), {engine.name: engine for engine in engines}, pipe, Ring(Path(ring)))
    except TargetError as error:
        pipe.send(Unusable(str(error)))
    except BaseException as error:
        pipe.send(Broke("", _one_line(error), traceback.format_exc()))
    os._exit(0)  # threads that the target left behind must not hold up the end


def _prepare(stacks: Path) -> None:
    """Arrange that stacks are written on a crash or on request, and that no worker outlives its parent.

    What Hypothesis keeps goes where the stacks go, which is gone after the run: replays do not need it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file = os.open(stacks, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    set_hypothesis_home_dir(stacks.with_name("hypothesis"))
    faulthandler.enable(file)
    faulthandler.register(signal.SIGUSR1, file, all_threads=True)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _work(job: Job, engines: Mapping[str, Engine], pipe: Pipe, ring: Ring) -> None:
    start = time.monotonic()
    ring.making(0)
    target = resolve(job.target)
    offer = shake_hands(target, lambda operation: ring.begin(HANDSHAKE, operation.encode()))
    ring.rest()
    pipe.send(Started(job.target, job.seed, job.level, offer.page_size, offer.abilities, offer.claims))
    for missing in offer.missing:
        pipe.send(missing)
    if (each := (time.monotonic() - start) / 2) > SLOW:  # the handshake makes two
        pipe.send(
            Note(f"Making a backend takes about {each:.0f} s, and each program gets its own: try --budget.")
        )
    trial = Trial(
        target=job.target,
        fresh=lambda number: _make(target, number, ring),
        seed=job.seed,
        emit=pipe.send,
        ring=ring,
        deadline=None if job.seconds is None else start + job.seconds,
        scale=job.scale,
        level=job.level,
        page_size=offer.page_size,
        source=target.source,
        missing=frozenset(each.what for each in offer.missing),
    )
    turns = Turns({name: engines[name].share for name in job.engines}, trial.left)
    for name, seconds in turns:
        turn = Turn(trial, turns.done[name], seconds)
        _run(engines[name], turn.trial, job.replay, pipe)
        ring.rest()
        turns.done[name] = turn.done
        pipe.send(Done(name, turn.done))
    pipe.send(Finished(turns.complete, time.monotonic() - start))


class Turn:
    """One turn of an engine: its trial, and how far it comes."""

    def __init__(self, trial: Trial, done: float, seconds: float | None) -> None:
        self._emit = trial.emit
        self._told = done
        deadline = None if seconds is None else time.monotonic() + seconds
        self.trial = replace(trial, emit=self._pass_on, deadline=deadline, done=done)

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._told = max(self._told, event.done)
        self._emit(event)

    @property
    def done(self) -> float:
        """How much of its work the engine has done, 0 to 1: all of it where it was not cut short."""
        return self._told if self.trial.over() else 1.0


def _make(target: Target, number: int, ring: Ring) -> Backend:
    ring.making(number)
    try:
        return target.fresh(number)
    finally:
        ring.made()


def _run(engine: Engine, trial: Trial, replay: dict[str, object] | None, pipe: Pipe) -> None:
    pipe.send(Phase(engine.name, engine.detail, engine.share))
    try:
        if replay is None:
            engine.run(trial)
        else:
            engine.replay(trial, replay)
    except TargetError:
        raise
    except ValueError as error:
        if replay is None:
            raise
        raise TargetError(f"the replay does not fit the engine {engine.name}: {error}") from error


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


if __name__ == "__main__":
    main()
