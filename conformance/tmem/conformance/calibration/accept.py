"""Whether a backend that conforms raises no alarm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

from tmem.conformance.conforming import compose, seeds
from tmem.conformance.engines.crowd import Crowd, switching_often
from tmem.conformance.engines.stress import STATES
from tmem.conformance.engines.volume import outcomes
from tmem.conformance.history.checker import check
from tmem.conformance.history.results import Illegal
from tmem.conformance.pages import corpus
from tmem.conformance.schedules.explore import explore, open_subject
from tmem.conformance.schedules.search import Counts
from tmem.conformance.trial import Trial

PROGRAM: Final = 40
"""Operations in a program, about."""
LEAST: Final = 16
"""Programs of which some repeat pages."""
CALLERS: Final = 3
"""Threads that call a backend which serves several."""
CALLS: Final = 1_000
"""Operations of each of them."""
HUNG: Final = 120.0
"""Seconds after which they count as hung."""
SCHEDULED: Final = 8
"""Programs under controlled schedules."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one conforming backend: its choices, the operations, and any false alarms."""

    seed: int
    choices: str
    operations: int
    alarms: tuple[str, ...]


def accept(seed: int, operations: int) -> Accepted:
    """Run at least so many operations against the conforming backend of this seed."""
    probe = compose(seed)
    choices = str(probe)
    trial = Trial(f"conforming {seed}", lambda number: compose(seed), seed, page_size=probe.page_size)
    probe.close()
    done = 0
    alarms: list[str] = []
    for turn in count():
        programs = max(LEAST, (operations - done) // PROGRAM)
        for _, _, outcome in outcomes(trial, f"accept {seed} {turn}", programs):
            done += len(outcome.trace)
            if outcome.violation is not None:
                alarms.append(f"{outcome.violation}")
        if done >= operations:
            break
    if "Locked" in choices or "Background" in choices:
        done += overlapping(seed, choices, alarms)
    return Accepted(seed, choices, done, tuple(alarms))


def overlapping(seed: int, choices: str, alarms: list[str]) -> int:
    """Let operations overlap, on a backend that serves threads; how many operations."""
    backend = compose(seed)
    crowd = Crowd(backend, corpus(backend.page_size), f"accept {seed}")
    with switching_often():
        crowd.start(CALLERS, CALLS)
        ended = crowd.wait(HUNG)
    if not ended:
        alarms.append(f"Threads did not come to their end within {HUNG:g} s.")
        return crowd.done()
    backend.close()
    if isinstance(found := check(crowd.history(), budget=STATES), Illegal):
        alarms.append(f"{found}")
    if "Background" in choices:  # its own thread is none of the schedules'
        return crowd.done()
    counts = Counts()

    def progress(now: Counts) -> None:
        nonlocal counts
        counts = now

    subject = open_subject(seeds.__name__, f"seed_{seed}")
    alarms += [f"{each}" for each in explore(subject, seed, SCHEDULED, progress=progress)]
    return crowd.done() + counts.operations
