"""Checks that a conforming backend raises no alarm, and that faults that wrap it are noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from tmem.conformance.calibration.choose_canaries import Wrapped, try_faults
from tmem.conformance.conforming import compose, seeds
from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.canaries import LOOKS
from tmem.conformance.engines.stress import STATES
from tmem.conformance.engines.thread_load import Crowd, switching_often
from tmem.conformance.engines.volume import outcomes
from tmem.conformance.history.checker import Illegal, check
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.runner import twins
from tmem.conformance.schedules.explore import explore, open_subject
from tmem.conformance.schedules.search.search import Counts
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.target import Target
from tmem.conformance.turn import Turn

PROGRAM: Final = 40
"""Operations in an average program."""
LEAST: Final = 16
"""Fewest programs in a batch, so that some of them put pages again."""
CALLERS: Final = 3
"""Threads that call a backend made for several threads."""
CALLS: Final = 1_000
"""Operations of each thread."""
HUNG: Final = 120.0
"""Seconds after which the threads count as hung."""
SCHEDULED: Final = 8
"""Programs under controlled schedules."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result for one conforming backend: its choices, operations, false alarms, and faults."""

    seed: int
    choices: str
    operations: int
    alarms: tuple[str, ...]
    faults: Wrapped

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Accepted:
        """Return the result whose `asdict` was written as JSON."""
        faults = Wrapped(data["faults"]["noticed"], tuple(data["faults"]["unnoticed"]))
        return Accepted(**{**data, "alarms": tuple(data["alarms"]), "faults": faults})


def accept(seed: int, operations: int) -> Accepted:
    """Run at least `operations` operations on the conforming backend of this seed."""
    name = f"conforming {seed}"
    choices = str(compose(seed))
    offer = shake_hands(Target(name, lambda number: compose(seed)), lambda operation: None)
    missing = frozenset(each.what for each in offer.missing)
    turn = Turn(name, lambda number: compose(seed), seed, page_size=offer.page_size, missing=missing)
    coverage = Coverage()
    done = 0
    alarms: list[str] = []
    for batch in count():
        programs = max(LEAST, (operations - done) // PROGRAM)
        for number, program, outcome in outcomes(turn, f"accept {seed} {batch}", programs):
            if batch == 0 and number < LOOKS:
                coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
            done += len(outcome.trace)
            if outcome.violation is not None:
                alarms.append(f"{outcome.violation}")
        if done >= operations:
            break
    if "Locked" in choices or "Background" in choices:
        done += overlapping(seed, choices, alarms)
    return Accepted(
        seed, choices, done, tuple(alarms), Wrapped({}, ()) if alarms else try_faults(turn, coverage)
    )


def overlapping(seed: int, choices: str, alarms: list[str]) -> int:
    """Run overlapping operations on the backend, append any alarms, and return the number of operations."""
    backend = compose(seed)
    crowd = Crowd(backend, corpus(backend.page_size), f"accept {seed}")
    with switching_often():
        crowd.start(CALLERS, CALLS)
        ended = crowd.wait(HUNG)
    if not ended:
        alarms.append(f"Threads did not end within {HUNG:g} s.")
        return crowd.done()
    backend.close()
    if isinstance(found := check(crowd.history(), budget=STATES), Illegal):
        alarms.append(f"{found}")
    if "Background" in choices:  # schedules do not control the thread that it starts
        return crowd.done()
    counts = Counts()

    def progress(now: Counts) -> None:
        nonlocal counts
        counts = now

    subject = open_subject(seeds.__name__, f"seed_{seed}")
    alarms += [f"{each}" for each in explore(subject, seed, SCHEDULED, progress=progress)]
    return crowd.done() + counts.operations
