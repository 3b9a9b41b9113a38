"""Measures how soon a fault is noticed, and how small its counterexample is."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.large.run import Large
from tmem.conformance.engines.volume import PROGRAMS, finding, outcomes
from tmem.conformance.events import Event, Finding, Found, Progress
from tmem.conformance.faults import FAULTS, targets
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.shrink import LOSS
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.schedules.explore import Subject, explore, open_subject
from tmem.conformance.schedules.portfolio import PROGRAMS as SCHEDULED
from tmem.conformance.schedules.search.search import Counts
from tmem.conformance.schedules.threaded.program import from_json
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.turn import Turn
from tmem.model import Adversary
from tmem.spec.clauses import CLAUSES
from tmem.spec.operations import DestroyPool, FlushObject

ALONE: Final = 300
"""A kill counts as one of overlap only if this number of programs without overlap do not notice the race."""
WITHOUT_OVERLAP: Final = ("TMEM-ERR-1", "TMEM-CONC-3")
"""The clauses of wrong types of answers and of hangs, which break whether calls overlap or not."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The result for one fault under one seed. `clause` is empty if the fault survived.

    `operations`, `schedules` and `seconds` of wall time are those until the first violation. `steps` is the
    size of the shrunk counterexample, 0 if it was not shrunk. `overlap` is the clause of overlapping
    operations that the fault breaks, if it is noticed only where operations overlap; `clause` is then the one
    that the wrong or missing page was blamed on.
    """

    fault: str
    seed: int
    clause: str = ""
    operations: int = 0
    schedules: int = 0
    seconds: float = 0.0
    steps: int = 0
    overlap: str = ""

    @property
    def killed(self) -> bool:
        """Whether the fault was noticed and blamed on a clause that it breaks."""
        return self.clause in FAULTS[self.fault].clauses


def kill(target: str, fault: str, seed: int, *, small: bool = True) -> Kill:
    """Run a fault until it is noticed, for at most as long as the default run.

    The fault wraps the target; faults that show in schedules or end the process wrap the adversary. Without
    `small` the counterexample is not shrunk, unless the blame depends on it, and `overlap` is not determined.
    """
    match FAULTS[fault].kind:
        case "races":
            return _scheduled(fault, seed, small)
        case "large":
            return _large(target, fault, seed)
        case "liveness":
            return _supervised(fault, seed)
        case "claims":
            return _claimed(target, fault, seed)
        case _:
            return _in_volume(target, fault, seed, small)


def _wrapped(target: str, fault: str, seed: int) -> Turn:
    wrap, under = FAULTS[fault].wrap, resolve(target)
    backend = under.fresh(0)
    page_size = backend.page_size
    backend.close()
    return Turn(target, lambda number: wrap(under.fresh(number)), seed, page_size=page_size)


def _claimed(target: str, fault: str, seed: int) -> Kill:
    turn = _wrapped(target, fault, seed)
    events: list[Event] = []
    turn.emit = events.append
    start = time.perf_counter()
    ClaimChecks().run(turn)
    seconds = time.perf_counter() - start
    operations = sum(each.operations for each in events if isinstance(each, Progress))
    found = [each.finding for each in events if isinstance(each, Found)]
    blamed = next((each for each in found if each.clause in FAULTS[fault].clauses), None)
    if blamed is None:
        return Kill(fault, seed, found[0].clause if found else "", operations, 0, seconds)
    return Kill(fault, seed, blamed.clause, operations, 0, seconds, len(blamed.steps))


def _in_volume(target: str, fault: str, seed: int, small: bool) -> Kill:
    turn = _wrapped(target, fault, seed)
    start = time.perf_counter()
    operations = 0
    for number, program, outcome in outcomes(turn, f"volume {seed}", PROGRAMS):
        operations += len(outcome.trace)
        if outcome.violation is None:
            continue
        seconds, clause = time.perf_counter() - start, outcome.violation.clause
        if not small and clause not in LOSS:
            return Kill(fault, seed, clause, operations, 0, seconds)
        found = finding(turn, number, program, outcome, corpus(turn.page_size, turn.seed))
        return Kill(fault, seed, found.clause, operations, 0, seconds, len(found.steps))
    return Kill(fault, seed, "", operations, 0, time.perf_counter() - start)


def _large(target: str, fault: str, seed: int) -> Kill:
    turn = _wrapped(target, fault, seed)
    start = time.perf_counter()
    operations = 0
    killed: Finding | None = None

    class KilledError(Exception):
        """Ends the run at the first finding."""

    def emit(event: Event) -> None:
        nonlocal operations, killed
        if isinstance(event, Progress):
            operations += event.operations
        elif isinstance(event, Found):
            killed = event.finding
            raise KilledError

    turn.emit = emit
    with suppress(KilledError):
        Large().run(turn)
    clause, steps = ("", 0) if killed is None else (killed.clause, len(killed.steps))
    return Kill(fault, seed, clause, operations, 0, time.perf_counter() - start, steps)


def _scheduled(fault: str, seed: int, small: bool) -> Kill:
    subject = _open(fault)
    start = time.perf_counter()
    counts = Counts()

    def progress(now: Counts) -> None:
        nonlocal counts
        counts = now

    found = next(explore(subject, seed, SCHEDULED, progress=progress, small=False), None)
    seconds = time.perf_counter() - start
    if found is None:
        return Kill(fault, seed, "", counts.operations, counts.schedules, seconds)
    if not small and found.clause in FAULTS[fault].clauses:
        return Kill(fault, seed, found.clause, counts.operations, counts.schedules, seconds)
    # Again with shrinking, whose schedules are not counted.
    found = next(explore(subject, seed, counts.programs, begun=counts.programs - 1), found)
    overlap = _overlap(fault, found, seed)
    steps = len(found.steps)
    return Kill(fault, seed, found.clause, counts.operations, counts.schedules, seconds, steps, overlap)


@lru_cache(1)
def _open(fault: str) -> Subject:
    # Instrumenting the code takes a second; the result serves all seeds.
    return open_subject(targets.__name__, fault.replace("-", "_"))


def _overlap(fault: str, found: Finding, seed: int) -> str:
    if found.clause in WITHOUT_OVERLAP or found.clause not in CLAUSES:
        return ""
    turn = Turn("model:keep", lambda number: FAULTS[fault].wrap(Adversary("keep")), seed)
    if any(outcome.violation for _, _, outcome in outcomes(turn, f"one by one {seed}", ALONE)):
        return ""
    threads = from_json(found.replay["program"]).threads
    whole = any(isinstance(each, FlushObject | DestroyPool) for thread in threads for each in thread)
    return "TMEM-CONC-2" if whole and "TMEM-CONC-2" in FAULTS[fault].clauses else "TMEM-CONC-1"


def _supervised(fault: str, seed: int) -> Kill:
    start = time.perf_counter()
    operations = 0
    name = fault.replace("-", "_")
    with closing(check(Request(f"py:{targets.__name__}:{name}", seed, hang_after=2.0))) as events:
        for event in events:
            if isinstance(event, Progress):
                operations += event.operations
            elif isinstance(event, Found):
                seconds, found = time.perf_counter() - start, event.finding
                return Kill(fault, seed, found.clause, operations, 0, seconds, len(found.steps))
    return Kill(fault, seed, "", operations, 0, time.perf_counter() - start)
