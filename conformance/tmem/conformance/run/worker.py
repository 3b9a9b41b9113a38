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
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finished, Found, Note, Progress, Replayed, Started, TurnBegan
from tmem.conformance.programs.perform import close
from tmem.conformance.programs.program import from_json
from tmem.conformance.run.heartbeat import HANDSHAKE, Ring
from tmem.conformance.run.messages import Broke, Job, Message, TurnEnded, Unusable, encode
from tmem.conformance.run.time_slices import TimeSlices
from tmem.conformance.schedules.native.crashes import report_crashes
from tmem.conformance.scripts.recording import Recorder
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.targets.target import Target, TargetError
from tmem.conformance.turn import Engine, LibrarySource, Turn, ignore
from tmem.spec.backend import Backend

SLOW = 1.0
"""Seconds that making a backend may take before a note explains what that means."""
SEQUENTIAL = ("machine", "volume")
"""Engines whose replays may fail for what earlier backends of the process left behind."""
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
    file = _prepare(Path(stacks))
    pipe = Pipe(int(descriptor))
    try:
        _work(Job.from_json(job), {engine.name: engine for engine in engines}, pipe, Ring(Path(ring)), file)
    except TargetError as error:
        pipe.send(Unusable(str(error)))
    except BaseException as error:
        pipe.send(Broke("", _one_line(error), traceback.format_exc()))
    os._exit(0)  # threads that the target left behind must not hold up the end


def _prepare(stacks: Path) -> int:
    """Arrange that stacks are written on a crash or on request, and that no worker outlives its parent.

    Returns the file of the stacks. What Hypothesis keeps goes where they go, which is gone after the run:
    replays do not need it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file = os.open(stacks, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    set_hypothesis_home_dir(stacks.with_name("hypothesis"))
    faulthandler.enable(file)
    faulthandler.register(signal.SIGUSR1, file, all_threads=True)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return file


def _work(job: Job, engines: Mapping[str, Engine], pipe: Pipe, ring: Ring, stacks: int) -> None:
    start = time.monotonic()
    ring.loading()
    target = resolve(job.target)
    if isinstance(target.source, LibrarySource):
        report_crashes(stacks)
    making: list[float] = []
    offer = shake_hands(
        replace(target, make=lambda number: _timed(target.make, number, ring, making)),
        lambda operation: ring.begin(HANDSHAKE, operation.encode()),
    )
    ring.rest()
    pipe.send(Started(job.target, job.seed, job.level, offer.page_size, offer.abilities, offer.claims))
    for missing in offer.missing:
        pipe.send(missing)
    if min(making) > SLOW:  # the first may load modules, and what a backend leaves behind may be used again
        _timed(lambda number: close(target.fresh(number)), 0, ring, making)
    if (each := min(making)) > SLOW:
        pipe.send(
            Note(f"Making a backend takes about {each:.0f} s, and each program gets its own: try --budget.")
        )
    fresh = partial(_make, target, ring)
    whole = Turn(
        target=job.target,
        fresh=Recorder(Path(job.record), fresh).fresh if job.record else fresh,
        seed=job.seed,
        emit=pipe.send,
        ring=ring,
        deadline=job.until,
        scale=job.scale,
        level=job.level,
        page_size=offer.page_size,
        source=target.source,
        missing=frozenset(each.what for each in offer.missing),
        real_threads=job.real_threads,
        own=job.own,
    )
    if job.replay is not None and not job.engines:  # it was the handshake that failed
        pipe.send(Replayed(""))
    slices = TimeSlices({name: engines[name].share for name in job.engines}, whole.left)
    for name, seconds in slices:
        done = _take_turn(engines[name], whole, slices.done[name], seconds, job)
        ring.rest()
        slices.done[name] = done
        pipe.send(TurnEnded(name, done))
    pipe.send(Finished(slices.complete, time.monotonic() - start))


def _take_turn(engine: Engine, whole: Turn, done: float, seconds: float | None, job: Job) -> float:
    """Run an engine for this many seconds. Returns the share of its work that is done, 0 to 1."""
    reached = done

    def emit(event: Event) -> None:
        nonlocal reached
        if isinstance(event, Progress):
            event = replace(event, engine=engine.name)
            reached = max(reached, event.done)
        whole.emit(event)

    deadline = None if seconds is None else time.monotonic() + seconds
    turn = replace(whole, emit=emit, deadline=deadline, done=done)
    emit(TurnBegan(engine.name, engine.detail, engine.share))
    try:
        if job.replay is None:
            engine.run(turn)
        else:
            _replay(engine, turn, job.replay, job.tries)
    except TargetError:
        raise
    except ValueError as error:
        if job.replay is None:
            raise
        raise TargetError(f"the replay does not fit the engine {engine.name}: {error}") from error
    return reached if turn.over() else 1.0


def _replay(engine: Engine, turn: Turn, data: dict[str, object], tries: int) -> None:
    """Run replay data several times; if it never fails, again after a backend with pages in its slots."""

    def once(after_others: bool) -> bool:
        broken: list[str] = []

        def emit(event: Event) -> None:
            if isinstance(event, Found):
                broken.append(event.finding.clause)
            turn.emit(event)

        engine.replay(replace(turn, emit=emit), data)
        turn.emit(Replayed(broken[0] if broken else "", after_others))
        return bool(broken)

    failed = False
    for _ in range(tries):
        failed = once(after_others=False) or failed
        if turn.over():
            return
    if failed or tries == 1 or engine.name not in SEQUENTIAL:
        return
    others = from_json(data["program"]).filling().to_json()
    engine.replay(replace(turn, emit=ignore), data | {"program": others})
    for _ in range(tries):
        if turn.over():
            return
        once(after_others=True)


def _timed(make: Callable[[int], object], number: int, ring: Ring, seconds: list[float]) -> object:
    """Make a backend, and append how many seconds that took."""
    ring.making(number)
    start = time.monotonic()
    try:
        return make(number)
    finally:
        seconds.append(time.monotonic() - start)
        ring.rest()


def _make(target: Target, ring: Ring, number: int) -> Backend:
    ring.making(number)
    try:
        return target.fresh(number)
    finally:
        ring.made()


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"


if __name__ == "__main__":
    main()
