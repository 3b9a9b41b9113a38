"""Looks for races: draws programs, executes schedules of each, and makes what fails smaller."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from tmem.conformance.events import Finding
from tmem.conformance.history.exhaustive import ATOMIC, Breach, Judging, violation_in
from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.picture import picture, steps, switched_at, timeline
from tmem.conformance.schedules.portfolio import Chooser, mixed
from tmem.conformance.schedules.runtime.load import LEVELS, Level
from tmem.conformance.schedules.runtime.outside import AVAILABLE
from tmem.conformance.schedules.runtime.strategies import Follow
from tmem.conformance.schedules.runtime.virtual import Preemption
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.executor import Backends, Executor
from tmem.conformance.schedules.search.search import Counts, Search, StandsStillError
from tmem.conformance.schedules.search.shrink import Shrinker
from tmem.conformance.schedules.search.subject import Subject, open_library, open_subject
from tmem.conformance.schedules.threaded.program import Program, from_json

__all__ = ["ENGINE", "LEVELS", "Subject", "explore", "explore_one", "open_library", "open_subject", "replay"]

ENGINE: Final = "schedules"
REPEATS: Final = 3
"""Executions of a failing schedule until one fails again and is traced."""
TRIES: Final = 20
"""Executions of a replay on real threads, which the system may wake in another order."""


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
    which go on from `counts` if it is given. Where an execution stands still in a real call, real threads
    carry the threads from there on. Raises StandsStillError if there is no /proc to watch them by.
    """
    counts = counts or Counts()
    judging = judging or partial(violation_in, atomic_flush=ATOMIC in subject.claims)
    reported: set[tuple[str, ...]] = set()
    number = begun
    while number < programs and not over():
        try:
            found = explore_one(subject, seed, number, judging, counts, over, small, chooser)
        except StandsStillError:
            if subject.real_threads or subject.compiled or not AVAILABLE:
                raise
            subject = replace(subject, real_threads=True)
            continue
        number += 1
        counts.programs += 1
        progress(counts)
        if found is not None and (kind := (found.clause, *sorted(_methods(found)))) not in reported:
            reported.add(kind)
            yield found


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

        with watched(subject.real_threads):
            failed = search(program).first(exploration, draws.getrandbits(32))
            if failed is None:
                continue
            failure = Failure(program, *failed)
            if small:
                shrinker = Shrinker(search, *failure)
                shrinker.shrink()
                failure = Failure(shrinker.program, shrinker.execution, shrinker.breach)
            return report(subject, level, variant, repeat(search(failure.program), failure))
    return None


class Failure(NamedTuple):
    """An execution of a program that breaks the contract."""

    program: Program
    execution: Execution
    breach: Breach


def repeat(search: Search, failure: Failure) -> Failure:
    """The failure as it comes when its schedule is repeated, with a trace.

    A target that makes choices of its own may not fail again. Then the failure stands as it was: its history
    is what the target answered.
    """
    for _ in range(REPEATS):
        execution = search.executor.execute(Follow(failure.execution.preemptions), trace=True)
        if (breach := search.breach(execution)) is not None:
            return Failure(failure.program, execution, breach)
    return failure


def report(subject: Subject, level: Level, variant: int, failure: Failure) -> Finding:
    """The finding of a failure."""
    program, execution, breach = failure
    pages = corpus(subject.page_size)
    data: dict[str, object] = {
        "engine": ENGINE,
        "level": level,
        "variant": variant,
        "program": program.to_json(),
        "preemptions": [list(each) for each in execution.preemptions],
        "real_threads": subject.real_threads,
        "own": list(subject.own),
    }
    lines, drawing = steps(execution, pages), picture(execution, breach, pages)
    return Finding(
        *breach[:3],
        lines,
        data,
        picture=drawing,
        engine=ENGINE,
        timeline=timeline(execution, breach, pages),
        places=switched_at(execution),
    )


def replay(subject: Subject, data: Mapping[str, object], judging: Judging | None = None) -> Finding | None:
    """Execute the schedule of a finding again; None if it no longer fails. ValueError for other data."""
    level, variant, listed = data.get("level"), data.get("variant"), data.get("preemptions")
    if level not in LEVELS or type(variant) is not int or not isinstance(listed, list):
        raise ValueError("level, variant or preemptions are missing or wrong")
    if data.get("real_threads") is True:
        subject = replace(subject, real_threads=AVAILABLE)
    program = from_json(data.get("program"))
    schedule = tuple(_preemption(each) for each in listed)
    judging = judging or partial(violation_in, atomic_flush=ATOMIC in subject.claims)
    chosen: Level = "lock" if level == "lock" else "statement"
    executor = Executor(subject.backends(chosen, variant), program, subject.page_size)
    search = Search(executor, judging)
    with watched(subject.real_threads):
        for _ in range(TRIES if subject.real_threads else 1):
            execution = executor.execute(Follow(schedule))
            if (breach := search.breach(execution)) is not None:
                return report(subject, chosen, variant, repeat(search, Failure(program, execution, breach)))
    return None


def _preemption(data: object) -> Preemption:
    if not isinstance(data, list) or len(data) != 4 or not all(type(each) is int for each in data):
        raise ValueError(f"{data!r} is not a preemption: thread, operation, point, to")
    return Preemption(*data)


def _methods(found: Finding) -> Iterator[str]:
    for step in found.steps:
        yield step.partition("→")[0].split("⟨")[0].partition(": ")[2]
