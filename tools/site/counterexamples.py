"""A counterexample for each clause: the fewest calls that show one fault of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tmem.conformance.engines.volume import finding, outcomes
from tmem.conformance.events import Finding
from tmem.conformance.faults import FAULTS, Fault
from tmem.conformance.programs.pages import corpus
from tmem.conformance.turn import Turn
from tmem.model import Adversary
from tmem.spec.backend import Backend

PROGRAMS: Final = 300
"""Random programs that a fault gets to show itself; then the next one has its turn."""
FAULTS_TRIED: Final = 4
APART: Final = ("races", "liveness", "claims", "large")
"""Kinds of faults that show only where calls overlap, where time passes, or in large programs."""


def of(clause: str) -> tuple[Fault, Finding] | None:
    """A fault that was written for the clause, with its smallest counterexample; None if none shows soon."""
    written = [fault for fault in FAULTS.values() if fault.clauses[0] == clause and fault.kind not in APART]
    found = ((fault, each) for fault in written[:FAULTS_TRIED] for each in _shown(fault, clause))
    return next(found, None)


def _shown(fault: Fault, clause: str) -> Iterator[Finding]:
    def make(seed: int) -> Backend:
        return fault.wrap(Adversary("keep", seed=seed))

    turn = Turn("site", make, 0)
    pages = corpus(turn.page_size, turn.seed)
    for number, program, outcome in outcomes(turn, "volume 0", PROGRAMS):
        if outcome.violation is not None and outcome.violation.clause == clause:
            small = finding(turn, number, program, outcome, pages)
            if small.clause == clause:
                yield small
                return
