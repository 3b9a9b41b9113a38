"""Runs of one program, schedule after schedule, each judged; and the first that breaks the contract."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tmem.conformance.history.exhaustive import Verdict, judge
from tmem.conformance.schedules.programs.program import Program
from tmem.conformance.schedules.runtime.strategies import ROOT, Follow, Priorities, Schedule, Sticky, children
from tmem.conformance.schedules.runtime.virtual import Strategy
from tmem.conformance.schedules.runtime.watchdog import REAL
from tmem.conformance.schedules.search.leak import REGAIN
from tmem.conformance.schedules.search.runner import Run, Runner
from tmem.spec.history import Call

Judge = Callable[[Sequence[Call]], Verdict | None]


class UncontrolledError(Exception):
    """The target does something that schedules do not decide; the text says what was seen."""


class Exploration(NamedTuple):
    """How one program is explored: every schedule with up to `bound` preemptions, but at most `most` of
    them; then `sticky` and `pct` schedules drawn at random."""

    bound: int = 0
    most: int = 30_000
    sticky: int = 0
    pct: int = 0


@dataclass(slots=True)
class Counts:
    """What was done.

    `histories` counts those that differed within their program, `flushes` and `ends` those of them in which
    objects were flushed and pools destroyed, `complete` the programs whose schedules up to the bound were
    all run. `begin` is told each program with its number, `beat` the number of each schedule that begins, and
    `rest` is called where one has ended and is judged.
    """

    programs: int = 0
    complete: int = 0
    schedules: int = 0
    histories: int = 0
    flushes: int = 0
    ends: int = 0
    operations: int = 0
    begin: Callable[[int, Program], None] = lambda number, program: None
    beat: Callable[[int], None] = lambda schedule: None
    rest: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Search:
    """The schedules of one program on one target."""

    runner: Runner
    judge: Judge = judge
    counts: Counts = field(default_factory=Counts)
    over: Callable[[], bool] = lambda: False
    legal: set[Hashable] = field(default_factory=set)
    """Histories that were judged before."""
    looks: int = 1
    """After one of how many runs the account of the room is looked at."""

    def first(self, exploration: Exploration, seed: int) -> tuple[Run, Verdict] | None:
        """The first run of the exploration that breaks the contract."""
        for run in self.runs(exploration, seed):
            if self.over():
                return None
            if (verdict := self.verdict(run)) is not None:
                return run, verdict
        return None

    def runs(self, exploration: Exploration, seed: int) -> Iterator[Run]:
        """The runs of an exploration."""
        self.looks = LOOKS
        points = 0
        for run in self.bounded(exploration.bound, exploration.most, seed):
            points = max(points, run.points)
            yield run
        draw = random.Random(seed)
        for n in range(exploration.sticky):
            run = self.run(Sticky(draw.getrandbits(32), STAY[n % len(STAY)]))
            if not n:
                self.repeat(run)
            yield run
        for n in range(exploration.pct):
            yield self.run(Priorities(draw.getrandbits(32), 2 + n % 3, points or LENGTH))

    def repeat(self, run: Run) -> None:
        """Run a schedule again; UncontrolledError where it does not come out the same."""
        again = self.run(Follow(run.preemptions))
        if again.preemptions != run.preemptions:
            raise UncontrolledError(astray(run.preemptions, again))
        if (again.points, again.order) != (run.points, run.order):
            raise UncontrolledError("the same schedule came out differently when it was repeated")

    def bounded(self, bound: int, most: int, seed: int = 0) -> Iterator[Run]:
        """Depth-first search bounded by preemptions: all runs with none, then one, up to `bound`.

        Where they are more than `most`, those of the last bound that is reached are drawn at random.
        """
        waiting: list[list[Schedule]] = [[ROOT], *([] for _ in range(bound))]
        draw = random.Random(seed)
        done = 0
        for cost, schedules in enumerate(waiting):
            if len(schedules) > most - done:
                draw.shuffle(schedules)
            while schedules:
                if done == most:
                    return
                schedule = schedules.pop()
                run = self.run(Follow(schedule, onward=bool(schedule)), record=True)
                done += 1
                if run.preemptions != schedule:
                    raise UncontrolledError(astray(schedule, run))
                yield run
                for child, preempts in children(schedule, run.segments or (), free=cost == bound):
                    waiting[cost + preempts].append(child)
        self.counts.complete += 1

    def run(self, strategy: Strategy, record: bool = False) -> Run:
        """One run, counted."""
        self.counts.schedules += 1
        self.counts.beat(self.counts.schedules)
        self.counts.operations += len(self.runner.script.steps)
        if not self.counts.schedules % YOUNG:
            gc.collect(0)
        room = not self.counts.schedules % self.looks
        return self.runner.run(strategy, segments=record, room=room)

    def verdict(self, run: Run) -> Verdict | None:
        """What is wrong with a run."""
        if run.failure is not None:
            if run.failure.kind == REAL:
                raise UncontrolledError(run.failure.text)
            return stuck(run)
        if run.crashes:
            return Verdict(PROGRESS, f"{run.crashes[0]}.", "every thread goes on", last(run))
        key = run.key
        if key is not None and key in self.legal:
            return leak(run)
        self.counts.histories += 1
        self.counts.rest()
        self.counts.flushes += self.runner.flushes
        self.counts.ends += self.runner.ends
        verdict = self.judge(run.calls())
        if key is not None and verdict is None:
            self.legal.add(key)
        return verdict or leak(run)


YOUNG: Final = 128
"""Runs between two collections of what they left: during runs there is none."""
LOOKS: Final = 7
"""The account of the room is read after every so many runs of an exploration; after one fails, after each."""
PROGRESS: Final = "TMEM-CONC-3"
STAY: Final = (4.0, 8.0, 16.0)
"""After how many points, on average, sticky schedules switch."""
LENGTH: Final = 100
"""Points of a run of which nothing is known yet."""


def stuck(run: Run) -> Verdict:
    """The verdict on a run that could not go on."""
    assert run.failure is not None
    if run.failure.kind == "livelock":
        return Verdict(
            PROGRESS, f"The threads never end: {run.failure.text}.", "every operation returns", last(run)
        )
    return Verdict(PROGRESS, f"Nothing can go on: {run.failure.text}.", "every operation returns", last(run))


def leak(run: Run) -> Verdict | None:
    """The verdict on the room that a run left, where that was looked at."""
    if not run.leak:
        return None
    return Verdict(REGAIN, run.leak, "room for all of them: nothing leaks", last(run))


def last(run: Run) -> int:
    """The call, counted by invocation, that began last."""
    return sum(1 for each in run.order if each >= 0) - 1


def astray(schedule: Schedule, run: Run) -> str:
    """How a run differed from the schedule that it was to follow."""
    for n, wanted in enumerate(schedule):
        if n >= len(run.preemptions) or run.preemptions[n] != wanted:
            where = f"switch point {wanted.point} of operation {wanted.operation + 1}"
            return (
                f"run again, thread {wanted.thread + 1} did not come to {where} with the same threads ready"
            )
    return "a second run of one schedule had further choices"
