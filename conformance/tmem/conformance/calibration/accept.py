"""Whether a backend that conforms raises no alarm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

from tmem.conformance.conforming import compose
from tmem.conformance.engines.volume import outcomes
from tmem.conformance.trial import Trial

PROGRAM: Final = 40
"""Operations in a program, about."""
LEAST: Final = 16
"""Programs of which some repeat pages."""


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
    return Accepted(seed, choices, done, tuple(alarms))
