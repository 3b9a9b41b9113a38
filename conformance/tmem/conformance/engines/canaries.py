"""The engine that checks the check: faults seeded around the target, which this run must notice."""

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
from tmem.conformance.engine import Silent, Turn
from tmem.conformance.engines.volume import Volume, outcomes
from tmem.conformance.events import Canary, Note
from tmem.conformance.faults import FAULTS, Fault
from tmem.conformance.programs.runner import twins

COUNT: Final = 5
"""Faults in a run."""
SHORT: Final = 20_000
"""Operations within which a fault must be known to be noticed, at the worst, to serve as a canary."""
PATIENCE: Final = 2 * SHORT
"""Operations that it is given on a target that it was not calibrated with; most take a few hundred."""
LOOKS: Final = 600
"""Programs on the target alone, which show whether it does enough for a fault to show."""
SHARED: Final = frozenset({"shared ephemeral", "shared persistent"})
"""Kinds of pools of which some faults need either: they need `shared`."""
PROGRAM: Final = 30
"""Operations in a program, about."""


class Canaries:
    """Lays a few faults around the target, one at a time, and reports which of them were noticed."""

    name = "canaries"
    detail = "faults seeded around the target, which must be noticed"
    share = 0.1

    def run(self, turn: Turn) -> None:
        """Seed COUNT faults, or report why the target is not fit for it."""
        coverage = Coverage()
        why = _unfit(turn, coverage)
        if turn.over():
            return
        if why:
            turn.emit(Note(f"No faults were seeded around it: {why}."))
            return
        chosen = random.Random(f"{self.name} {turn.seed}")
        fit = sorted(fitting(known_short(), turn.missing, coverage))
        if len(fit) < COUNT:
            turn.emit(Note(f"Only {len(fit)} of the faults known to be noticed soon can show on it."))
        for name in chosen.sample(fit, min(COUNT, len(fit))):
            if turn.over():
                return
            canary = seeded(turn, FAULTS[name], PATIENCE)
            if not canary.caught and turn.over():  # it might have been
                return
            turn.emit(canary)

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to the ring."""
        return Volume().steps(program, count)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """A program of the target itself: what a fault does is not the target's."""
        return Volume().recall(program, variant)

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """A canary is no finding; there is nothing to replay."""
        raise ValueError("canaries are faults of the suite's own and are not replayed")


def seeded(turn: Turn, fault: Fault, operations: int) -> Canary:
    """Whether a fault around the target is noticed within so many operations."""
    start = time.perf_counter()
    around = replace(turn, fresh=lambda number: fault.wrap(turn.fresh(number)))
    done = 0
    for _, _, outcome in outcomes(around, f"canary {fault.name} {turn.seed}", operations // PROGRAM):
        done += len(outcome.trace)
        if outcome.violation is not None:
            seconds = time.perf_counter() - start
            return Canary(fault.name, outcome.violation.clause, True, done, seconds)
    return Canary(fault.name, fault.clauses[0], False, done, time.perf_counter() - start)


@cache
def worst() -> Mapping[str, int]:
    """Operations to the kill of each fault, at the worst, as calibration measured them.

    It lacks faults that went unnoticed around some backend that conforms.
    """
    data = json.loads(files("tmem.conformance.faults").joinpath("worst.json").read_text("utf-8"))
    return {str(name): int(operations) for name, operations in data.items()}


def known_short() -> list[str]:
    """The faults that are known to be noticed soon."""
    return [name for name, operations in worst().items() if name in FAULTS and operations <= SHORT]


def fitting(faults: Iterable[str], missing: Collection[str], coverage: Coverage) -> list[str]:
    """Those of the faults that can show on a target: it offers and does what they need."""
    lacking = {*missing, *(point for point in CHOICES if not coverage.points[point])}
    if lacking.issuperset(SHARED):
        lacking.add("shared")
    return [name for name in faults if lacking.isdisjoint(FAULTS[name].needs)]


def _unfit(turn: Turn, coverage: Coverage) -> str:
    # A target that stores nothing hides every fault; one that is broken itself needs none.
    for _, program, outcome in outcomes(replace(turn, ring=Silent()), f"looks {turn.seed}", LOOKS):
        if outcome.violation is not None:
            return "it breaks the contract itself"
        coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
    required = applicable(turn.missing)
    return next((told for point, told in required.items() if not coverage.points[point]), "")
