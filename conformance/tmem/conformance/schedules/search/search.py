"""Executes a program under schedule after schedule, and judges what each leaves."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tmem.conformance.history.exhaustive import Breach, Judging, violation_in
from tmem.conformance.schedules.native.machine import CRASH
from tmem.conformance.schedules.runtime.strategies import ROOT, Follow, Priorities, Schedule, Sticky, children
from tmem.conformance.schedules.runtime.virtual import Strategy
from tmem.conformance.schedules.runtime.watchdog import REAL
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.regain import REGAIN
from tmem.conformance.schedules.threaded.program import Program


class StandsStillError(Exception):
    """An execution stands still in a real call, which only real threads can pass over."""


class Exploration(NamedTuple):
    """Which schedules of a program are tried: all with up to `bound` preemptions, but at most `most`; then
    `sticky` and `pct` schedules that are drawn at random.

    With `interrupted`, the first thread runs first, and no other thread is preempted.
    """

    bound: int = 0
    interrupted: bool = False
    most: int = 30_000
    sticky: int = 0
    pct: int = 0


@dataclass(slots=True)
class Counts:
    """How much was done, and who is called meanwhile.

    `histories` counts those that differ within their program; `flushes` and `ends` count those of them in
    which objects are flushed and pools destroyed; `complete` counts the programs of which every schedule up
    to the bound was executed; `astray` counts the executions that left the schedule which they followed,
    because the target makes choices of its own.
    `begin` is called with each program and its number, `beat` with the number of
    each schedule that begins, and `rest` where an execution has ended and is judged.
    """

    programs: int = 0
    complete: int = 0
    astray: int = 0
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
    """The schedules of one program."""

    executor: Executor
    judging: Judging = violation_in
    counts: Counts = field(default_factory=Counts)
    over: Callable[[], bool] = lambda: False
    legal: set[Hashable] = field(default_factory=set)
    """Histories that were judged and found legal."""
    looks: int = 1
    """The store's room is examined after one in this number of executions."""

    def first(self, exploration: Exploration, seed: int) -> tuple[Execution, Breach] | None:
        """The first execution that breaks the contract."""
        for execution in self.executions(exploration, seed):
            if self.over():
                return None
            if (breach := self.breach(execution)) is not None:
                return execution, breach
        return None

    def executions(self, exploration: Exploration, seed: int) -> Iterator[Execution]:
        """All executions of an exploration."""
        self.looks = LOOKS
        points = 0
        only = 0 if exploration.interrupted else None
        for execution in self.bounded(exploration.bound, exploration.most, seed, only):
            points = max(points, execution.points)
            yield execution
        draw = random.Random(seed)
        for n in range(exploration.sticky):
            execution = self.execute(Sticky(draw.getrandbits(32), STAY[n % len(STAY)]))
            if not n:
                self.repeat(execution)
            yield execution
        for n in range(exploration.pct):
            yield self.execute(Priorities(draw.getrandbits(32), 2 + n % 3, points or LENGTH))

    def repeat(self, execution: Execution) -> None:
        """Execute the same schedule again, and count if the result differs."""
        again = self.execute(Follow(execution.preemptions))
        results = [(each.preemptions, each.points, each.order) for each in (execution, again)]
        self.counts.astray += results[0] != results[1]

    def bounded(self, bound: int, most: int, seed: int = 0, only: int | None = None) -> Iterator[Execution]:
        """Depth-first search: all executions without a preemption, then with one, up to `bound`.

        Stops after `most` executions; those of the last bound that is reached are then drawn at random. Where
        `only` is given, only this thread is preempted, and the first thread begins.
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
                execution = self.execute(Follow(schedule, onward=bool(schedule)), record=True)
                done += 1
                yield execution
                if execution.preemptions != schedule:
                    self.counts.astray += 1
                    continue
                for child, preempts in children(schedule, execution.segments or (), free=cost == bound):
                    if only is None or child[-1].thread == only or not (preempts or len(child) == 1):
                        waiting[cost + preempts].append(child)
        self.counts.complete += 1

    def execute(self, strategy: Strategy, record: bool = False) -> Execution:
        """One execution, counted."""
        self.counts.schedules += 1
        self.counts.beat(self.counts.schedules)
        self.counts.operations += len(self.executor.script.steps)
        if not self.counts.schedules % YOUNG:
            gc.collect(0)
        room = not self.counts.schedules % self.looks
        return self.executor.execute(strategy, segments=record, room=room)

    def breach(self, execution: Execution) -> Breach | None:
        """What is wrong with an execution."""
        if execution.failure is not None:
            if execution.failure.kind == REAL:
                raise StandsStillError(execution.failure.text)
            return stuck(execution)
        if execution.crashes:
            return Breach(PROGRESS, f"{execution.crashes[0]}.", "every thread goes on", last(execution))
        key = execution.key
        if key is not None and key in self.legal:
            return leak(execution)
        self.counts.histories += 1
        self.counts.rest()
        self.counts.flushes += self.executor.flushes
        self.counts.ends += self.executor.ends
        breach = self.judging(execution.calls())
        if key is not None and breach is None:
            self.legal.add(key)
        return breach or leak(execution)


YOUNG: Final = 128
"""Executions between two collections of garbage. During an execution the collector is off."""
LOOKS: Final = 7
"""Executions of an exploration between two looks at the room that is left."""
PROGRESS: Final = "TMEM-CONC-3"
STAY: Final = (4.0, 8.0, 16.0)
"""Points after which sticky schedules switch, on average."""
LENGTH: Final = 100
"""Points of an execution, where none was made yet."""


def stuck(execution: Execution) -> Breach:
    """What is wrong with an execution that could not go on."""
    assert execution.failure is not None
    text = execution.failure.text
    if execution.failure.kind == CRASH:
        return Breach(PROGRESS, f"{text[0].upper()}{text[1:]}.", "every operation returns", last(execution))
    said = "The threads never end" if execution.failure.kind == "livelock" else "Nothing can go on"
    return Breach(PROGRESS, f"{said}: {text}.", "every operation returns", last(execution))


def leak(execution: Execution) -> Breach | None:
    """What is wrong with the room that an execution left, if that was looked at."""
    if not execution.leak:
        return None
    return Breach(REGAIN, execution.leak, "room for all of them: nothing leaks", last(execution))


def last(execution: Execution) -> int:
    """The call that began last, counted by invocation."""
    return sum(1 for each in execution.order if each >= 0) - 1
