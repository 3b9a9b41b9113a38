"""Looks for races: draws programs, executes schedules of each, and makes what fails smaller."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from tmem.conformance.events import Finding
from tmem.conformance.history.exhaustive import ATOMIC, Judging, judge
from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.picture import picture, steps
from tmem.conformance.schedules.portfolio import Chooser, mixed
from tmem.conformance.schedules.programs.program import Program, from_json
from tmem.conformance.schedules.runtime.instrument import LEVELS, Level
from tmem.conformance.schedules.runtime.strategies import Follow, Schedule
from tmem.conformance.schedules.runtime.virtual import Preemption
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.executor import Backends, Executor
from tmem.conformance.schedules.search.search import Counts, Search, UncontrolledError
from tmem.conformance.schedules.search.shrink import Shrinker
from tmem.conformance.schedules.search.subject import Subject, open_library, open_subject

__all__ = ["ENGINE", "LEVELS", "Subject", "explore", "explore_one", "open_library", "open_subject", "replay"]

ENGINE: Final = "schedules"
REPEATS: Final = 3
"""Executions of a failing schedule that must come out the same before it is reported."""


def explore(
    subject: Subject,
    seed: int,
    programs: int,
    *,
    begun: int = 0,
    over: Callable[[], bool] = lambda: False,
    progress: Callable[[Counts], None] = lambda counts: None,
    judging: Judging | None = None,
    counts: Counts | None = None,
    small: bool = True,
    chooser: Chooser = mixed,
) -> Iterator[Finding]:
    """Yield what is found in the programs from `begun` to `programs`, or until `over`; each kind once.

    Findings are shrunk, unless `small` is false. `progress` is called after each program with the counts,
    which go on from `counts` if it is given. Raises UncontrolledError if the target does different things
    under the same schedule.
    """
    counts = counts or Counts()
    judging = judging or partial(judge, atomic_flush=ATOMIC in subject.claims)
    reported: set[tuple[str, ...]] = set()
    for number in range(begun, programs):
        found = explore_one(subject, seed, number, judging, counts, over, small, chooser)
        counts.programs += 1
        progress(counts)
        if found is not None and (kind := (found.clause, *sorted(_methods(found)))) not in reported:
            reported.add(kind)
            yield found
        if over():
            return


def explore_one(
    subject: Subject,
    seed: int,
    number: int,
    judging: Judging,
    counts: Counts,
    over: Callable[[], bool] = lambda: False,
    small: bool = True,
    chooser: Chooser = mixed,
) -> Finding | None:
    """The finding of one program of a seed; shrunk, unless `small` is false."""
    draws = random.Random(f"{ENGINE} {seed} {number}")
    program, explorations, only = chooser(subject, seed, number, draws)
    counts.begin(number, program)
    drawn = draws.randrange(len(subject.variants))
    variant = drawn if only is None else only
    for level, exploration in explorations:
        backends = subject.backends(level, variant)

        def search(of: Program, backends: Backends = backends) -> Search:
            return Search(Executor(backends, of, subject.page_size), judging, counts, over)

        with watched():
            failed = search(program).first(exploration, draws.getrandbits(32))
            if failed is not None and not small:
                return finding(subject, level, variant, program, failed[0].preemptions, search)
            if failed is not None:
                shrinker = Shrinker(search, program, *failed)
                shrinker.shrink()
                return finding(subject, level, variant, shrinker.program, shrinker.schedule, search)
    return None


def finding(
    subject: Subject,
    level: Level,
    variant: int,
    program: Program,
    schedule: Schedule,
    search: Callable[[Program], Search],
) -> Finding | None:
    """The finding of a schedule; None if nothing is wrong. Raises UncontrolledError if executions differ."""
    again = search(program)
    executions = [again.executor.execute(Follow(schedule), trace=True) for _ in range(REPEATS)]
    first = executions[0]
    if any(alike(execution) != alike(first) for execution in executions):
        raise UncontrolledError("the same schedule came out differently when it was repeated")
    verdict = again.verdict(first)
    if verdict is None:
        return None
    pages = corpus(subject.page_size)
    data: dict[str, object] = {
        "engine": ENGINE,
        "level": level,
        "variant": variant,
        "program": program.to_json(),
        "preemptions": [list(each) for each in first.preemptions],
    }
    lines = steps(first, pages)
    return Finding(
        verdict.clause, verdict.message, verdict.allowed, lines, data, picture(first, verdict, pages), ENGINE
    )


def alike(execution: Execution) -> object:
    """What must be the same whenever a schedule is repeated."""
    marks = [(m.kind, m.thread, m.place) for m in execution.trace or ()]
    return execution.order, list(map(repr, execution.answers)), execution.preemptions, marks


def replay(subject: Subject, data: Mapping[str, object], judging: Judging | None = None) -> Finding | None:
    """Execute the schedule of a finding again; None if it no longer fails. ValueError for other data."""
    level, variant, listed = data.get("level"), data.get("variant"), data.get("preemptions")
    if level not in LEVELS or type(variant) is not int or not isinstance(listed, list):
        raise ValueError("level, variant or preemptions are missing or wrong")
    program = from_json(data.get("program"))
    schedule = tuple(_preemption(each) for each in listed)
    judging = judging or partial(judge, atomic_flush=ATOMIC in subject.claims)
    chosen: Level = "lock" if level == "lock" else "statement"
    backends = subject.backends(chosen, variant)

    def search(of: Program) -> Search:
        return Search(Executor(backends, of, subject.page_size), judging)

    with watched():
        return finding(subject, chosen, variant, program, schedule, search)


def _preemption(data: object) -> Preemption:
    if not isinstance(data, list) or len(data) != 4 or not all(type(each) is int for each in data):
        raise ValueError(f"{data!r} is not a preemption: thread, operation, point, to")
    return Preemption(*data)


def _methods(found: Finding) -> Iterator[str]:
    for step in found.steps:
        yield step.partition("→")[0].split("⟨")[0].partition(": ")[2]
