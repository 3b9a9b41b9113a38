"""Pages that grow old: a store is filled, its virtual clocks jump by days, and everything is read again.

A persistent page must not expire. What the target does by `time`, `datetime` or timers is done in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tmem.conformance.events import Finding
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.programs.transcript import lines
from tmem.conformance.schedules.runtime.modules import sleep
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import FOREVER, NeverPreempt, Stuck
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.subject import Subject
from tmem.model.judge import Judge
from tmem.model.violation import Violation
from tmem.spec.abi.flags import compose
from tmem.spec.backend import TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import Answer, Get, NewPool, Operation, PoolFlags, Put

WAITS: Final = {"3 seconds": 3.0, "10 minutes": 600.0, "a day": 86_400.0, "30 days": 30 * 86_400.0}
"""The jumps, each on a fresh store, in virtual seconds."""
SETTLING: Final = 1.0
"""Virtual seconds before and after a jump, in which threads and timers of the target do what is due."""
KINDS: Final = ((True, False), (False, False), (True, True))
"""The pools: persistent, shared."""
_CLIENT: Final = 1
_UUID: Final = 0xA6E


@dataclass(frozen=True, slots=True)
class Fill:
    """The pools of a store (persistent, shared), and how many pages each gets."""

    kinds: tuple[tuple[bool, bool], ...] = KINDS
    pages: int = 4


def waiting(subject: Subject, engine: str) -> Iterator[Finding]:
    """Yield what is found after each jump, with each variant; one finding for each clause."""
    found: set[str] = set()
    for variant in range(len(subject.variants)):
        for wait in WAITS:
            finding = wait_once(subject, variant, wait, engine)
            if finding is not None and finding.clause not in found:
                found.add(finding.clause)
                yield _smallest(subject, variant, wait, engine, finding)


def _smallest(subject: Subject, variant: int, wait: str, engine: str, found: Finding) -> Finding:
    # One page of one pool suffices, or all are needed.
    for kind in KINDS:
        smaller = wait_once(subject, variant, wait, engine, Fill((kind,), 1))
        if smaller is not None and smaller.clause == found.clause:
            return smaller
    return found


def wait_once(subject: Subject, variant: int, wait: str, engine: str, fill: Fill = Fill()) -> Finding | None:
    """Fill a store of the variant, jump, and read every page again."""
    with watched(subject.real_threads):
        scheduler.begin(NeverPreempt(), FOREVER - 1, real_threads=subject.real_threads)
        try:
            return _fill_and_wait(subject, variant, wait, engine, fill)
        except Stuck:
            return None  # the schedules report what blocks for ever
        finally:
            scheduler.end()


def replay(subject: Subject, data: Mapping[str, object], engine: str) -> Finding | None:
    """Wait as a finding did; None if it no longer fails. Raises ValueError for other data."""
    wait, variant, pages, kinds = (data.get(name) for name in ("wait", "variant", "pages", "kinds"))
    if wait not in WAITS or not isinstance(wait, str) or type(variant) is not int or type(pages) is not int:
        raise ValueError(f"wait is one of {', '.join(WAITS)}; variant and pages are numbers")
    if not isinstance(kinds, list):
        raise ValueError("kinds is a list of pairs: persistent, shared")
    chosen = tuple(kind for kind in KINDS if list(kind) in kinds)
    return wait_once(subject, variant, wait, engine, Fill(chosen, pages))


def _fill_and_wait(subject: Subject, variant: int, wait: str, engine: str, fill: Fill) -> Finding | None:
    backend = subject.backends("lock", variant).make()
    judge, pages = Judge(subject.page_size), corpus(subject.page_size)
    trace: list[tuple[Operation, Answer]] = []

    def do(operation: Operation) -> tuple[Answer, Violation | None]:
        answer = perform(backend, operation)
        trace.append((operation, answer))
        return answer, judge.observe(operation, answer)

    slots = []
    for persistent, shared in fill.kinds:
        if shared and not subject.shared:
            continue
        flags = compose(persistent=persistent, shared=shared, page_size=subject.page_size)
        pool, _ = do(NewPool(_CLIENT, flags, _UUID if shared else None))
        if type(pool) is not int:
            continue
        if isinstance(backend, TellsFlags):
            do(PoolFlags(_CLIENT, pool))
        slots += [Handle(pool, 7, index) for index in range(fill.pages)]
    for number, slot in enumerate(slots):
        do(Put(_CLIENT, slot, pages.pages[number % len(pages.pages)]))
    filled = sum(not isinstance(operation, PoolFlags) for operation, _ in trace)
    sleep(SETTLING)
    scheduler.now += WAITS[wait]
    sleep(SETTLING)
    violations = (do(Get(_CLIENT, slot))[1] for slot in slots)
    violation = next((each for each in violations if each is not None), None)
    close(backend)
    if violation is None:
        return None
    steps = list(lines(trace, pages))
    steps.insert(filled, f"{wait} pass, by the virtual clock")
    data: dict[str, object] = {"engine": engine, "wait": wait, "variant": variant, "pages": fill.pages}
    data["kinds"] = [list(kind) for kind in fill.kinds]
    return Finding(violation.clause, violation.message, violation.allowed, tuple(steps), data, engine=engine)
