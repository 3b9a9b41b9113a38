"""Looks for races: draws programs, runs schedules of each, and makes what fails small."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from tmem.conformance.events import Finding
from tmem.conformance.history.exhaustive import ATOMIC, judge
from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.picture import picture, steps
from tmem.conformance.schedules.portfolio import Chooser, mixed
from tmem.conformance.schedules.programs.program import Program, from_json
from tmem.conformance.schedules.runtime.instrument import LEVELS, Level
from tmem.conformance.schedules.runtime.strategies import Follow, Schedule
from tmem.conformance.schedules.runtime.virtual import Preemption
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.runner import Run, Runner, Target
from tmem.conformance.schedules.search.search import Counts, Judge, Search, UncontrolledError
from tmem.conformance.schedules.search.shrink import Shrinker
from tmem.conformance.schedules.search.subject import Subject, open_subject

__all__ = ["ENGINE", "LEVELS", "Subject", "explore", "explore_one", "open_subject", "replay"]

ENGINE: Final = "schedules"
REPLAYS: Final = 3
"""How often a finding is repeated before it is told."""


def explore(
    subject: Subject,
    seed: int,
    programs: int,
    *,
    begun: int = 0,
    over: Callable[[], bool] = lambda: False,
    progress: Callable[[Counts], None] = lambda counts: None,
    judging: Judge | None = None,
    counts: Counts | None = None,
    small: bool = True,
    chooser: Chooser = mixed,
) -> Iterator[Finding]:
    """The findings of so many programs, or of those until `over`; each smallest, and each kind once.

    The first `begun` are left out. Without `small` findings are told as they were come upon. `progress` is
    told after each program; the counts go on growing: those given, or new ones. The programs are those of
    `mixed` or of another `chooser`.
    UncontrolledError where the target does not do the same under the same schedule.
    """
    counts = counts or Counts()
    judging = judging or partial(judge, atomic_flush=ATOMIC in subject.claims)
    told: set[tuple[str, ...]] = set()
    for number in range(begun, programs):
        found = explore_one(subject, seed, number, judging, counts, over, small, chooser)
        counts.programs += 1
        progress(counts)
        if found is not None and (kind := (found.clause, *sorted(_methods(found)))) not in told:
            told.add(kind)
            yield found
        if over():
            return


def explore_one(
    subject: Subject,
    seed: int,
    number: int,
    judging: Judge,
    counts: Counts,
    over: Callable[[], bool] = lambda: False,
    small: bool = True,
    chooser: Chooser = mixed,
) -> Finding | None:
    """The finding of one program of a seed, smallest; without `small` as it was come upon."""
    draws = random.Random(f"{ENGINE} {seed} {number}")
    program, plans, only = chooser(subject, seed, number, draws)
    counts.begin(number, program)
    drawn = draws.randrange(len(subject.variants))
    variant = drawn if only is None else only
    for level, exploration in plans:
        target = subject.target(level, variant)

        def search(of: Program, target: Target = target) -> Search:
            return Search(Runner(target, of, subject.page_size), judging, counts, over)

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
    """What a schedule of a program comes to, told; None where it is right. It must come thrice the same."""
    again = search(program)
    runs = [again.runner.run(Follow(schedule), trace=True) for _ in range(REPLAYS)]
    first = runs[0]
    if any(alike(run) != alike(first) for run in runs):
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
    told = steps(first, pages)
    return Finding(
        verdict.clause, verdict.message, verdict.allowed, told, data, picture(first, verdict, pages), ENGINE
    )


def alike(run: Run) -> object:
    """What must be the same whenever a schedule is repeated."""
    marks = [(m.kind, m.thread, m.place) for m in run.trace or ()]
    return run.order, list(map(repr, run.answers)), run.preemptions, marks


def replay(subject: Subject, data: Mapping[str, object], judging: Judge | None = None) -> Finding | None:
    """Run a finding's data again; None where it no longer fails. ValueError where it is no such data."""
    level, variant, listed = data.get("level"), data.get("variant"), data.get("preemptions")
    if level not in LEVELS or type(variant) is not int or not isinstance(listed, list):
        raise ValueError("level, variant or preemptions are missing or wrong")
    program = from_json(data.get("program"))
    schedule = tuple(_preemption(each) for each in listed)
    judging = judging or partial(judge, atomic_flush=ATOMIC in subject.claims)
    chosen: Level = "lock" if level == "lock" else "statement"
    target = subject.target(chosen, variant)
    with watched():
        return finding(
            subject,
            chosen,
            variant,
            program,
            schedule,
            lambda of: Search(Runner(target, of, subject.page_size), judging),
        )


def _preemption(data: object) -> Preemption:
    if not isinstance(data, list) or len(data) != 4 or not all(type(each) is int for each in data):
        raise ValueError(f"{data!r} is not a preemption: thread, operation, point, to")
    return Preemption(*data)


def _methods(found: Finding) -> Iterator[str]:
    for step in found.steps:
        yield step.partition("→")[0].split("⟨")[0].partition(": ")[2]
