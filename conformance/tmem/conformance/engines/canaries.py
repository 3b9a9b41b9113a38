"""The engine that checks the run itself: it wraps the target in faults, which the run must notice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final

from tmem.conformance.coverage import CHOICES, Coverage, applicable
from tmem.conformance.engines.volume import Volume, outcomes
from tmem.conformance.events import Canary, Note, Progress
from tmem.conformance.faults import FAULTS, Fault
from tmem.conformance.programs.runner import twins
from tmem.conformance.turn import Silent, Turn

COUNT: Final = 5
"""Faults that a run tries."""
SHORT: Final = 20_000
"""A fault can serve as a canary if calibration always noticed it within this number of operations."""
PATIENCE: Final = 2 * SHORT
"""Operations that a canary gets on a target that it was not calibrated with; most need a few hundred."""
LOOKS: Final = 600
"""Programs on the target alone, which show whether its behaviour can show a fault."""
SHARED: Final = frozenset({"shared ephemeral", "shared persistent"})
"""Kinds of pools of which one suffices for a fault that needs `shared`."""
PROGRAM: Final = 30
"""Operations in an average program."""


class Canaries:
    """Wraps the target in a few faults, one at a time, and reports which of them were noticed."""

    name = "canaries"
    detail = "faults seeded around the target, which must be noticed"
    share = 0.1

    def run(self, turn: Turn) -> None:
        """Try COUNT faults, or report why the target cannot show them."""
        coverage = Coverage()
        why = _unfit(turn, coverage)
        if turn.over():
            return
        if why:
            turn.emit(Note(f"No canaries were run: {why}."))
            return
        chosen = random.Random(f"{self.name} {turn.seed}")
        fit = sorted(fitting(known_short(), turn.missing, coverage))
        if len(fit) < COUNT:
            turn.emit(Note(f"Only {len(fit)} of the canaries can show on this target."))
        for number, name in enumerate(names := chosen.sample(fit, min(COUNT, len(fit)))):
            if turn.over():
                return
            canary = seeded(turn, FAULTS[name], PATIENCE)
            if not canary.caught and turn.over():  # more time might have caught it
                return
            turn.emit(canary)
            turn.emit(Progress(done=(number + 1) / len(names)))

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to the ring."""
        return Volume().steps(program, count)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a program of the target itself, without the fault."""
        return Volume().recall(program, variant)

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Raises ValueError: a canary is not a finding, so there is nothing to replay."""
        raise ValueError("canaries are faults of the suite itself and are not replayed")


def seeded(turn: Turn, fault: Fault, operations: int) -> Canary:
    """Run a fault that wraps the target until it is noticed, or for this number of operations."""
    start = time.perf_counter()
    wrapped = replace(turn, fresh=lambda number: fault.wrap(turn.fresh(number)))
    done = 0
    for _, _, outcome in outcomes(wrapped, f"canary {fault.name} {turn.seed}", operations // PROGRAM):
        done += len(outcome.trace)
        if outcome.violation is not None:
            seconds = time.perf_counter() - start
            return Canary(fault.name, outcome.violation.clause, True, done, seconds)
    return Canary(fault.name, fault.clauses[0], False, done, time.perf_counter() - start)


@cache
def worst() -> Mapping[str, int]:
    """Return the most operations until each fault was noticed in calibration.

    Faults that went unnoticed on some conforming backend are not included.
    """
    data = json.loads(files("tmem.conformance.faults").joinpath("worst.json").read_text("utf-8"))
    return {str(name): int(operations) for name, operations in data.items()}


def known_short() -> list[str]:
    """Return the faults that calibration always noticed within SHORT operations."""
    return [name for name, operations in worst().items() if name in FAULTS and operations <= SHORT]


def fitting(faults: Iterable[str], missing: Collection[str], coverage: Coverage) -> list[str]:
    """Return the faults that can show on a target, because it offers and does what they need."""
    lacking = {*missing, *(point for point in CHOICES if not coverage.points[point])}
    if lacking.issuperset(SHARED):
        lacking.add("shared")
    return [name for name in faults if lacking.isdisjoint(FAULTS[name].needs)]


def _unfit(turn: Turn, coverage: Coverage) -> str:
    # A target that stores nothing hides every fault; on a broken target, canaries say nothing. Looks take at
    # most a third of the turn, so that a slow target leaves time for the faults.
    left = turn.left()
    until = None if left is None else time.monotonic() + left / 3
    for _, program, outcome in outcomes(replace(turn, ring=Silent()), f"looks {turn.seed}", LOOKS):
        if outcome.violation is not None:
            return "the target itself breaks the contract"
        coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
        if until is not None and time.monotonic() > until:
            break
    required = applicable(turn.missing)
    return next((lack for point, lack in required.items() if not coverage.points[point]), "")
