"""Whether a violation comes again: it is replayed in a fresh worker, several times.

A history of threads that the checker proves illegal is evidence by itself, and so is what ended the process.
A sequential program that fails once, or an operation that hung once, may have met a slow machine, the clock,
or what earlier backends left behind.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tmem.conformance.events import Confirmed, Finding, Replayed
from tmem.conformance.run.heartbeat import HANDSHAKE
from tmem.conformance.run.messages import Job
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import Task
from tmem.conformance.run.supervisor import supervise
from tmem.conformance.turn import Engine

SECONDS: Final = 15.0
"""Wall time for the replays of one finding, beside the time of hangs."""
HISTORIES: Final = ("schedules", "stress")
"""Engines whose findings are histories that the checker proves illegal, or deadlocks with all stacks."""


def stands_alone(finding: Finding) -> bool:
    """Whether the finding is evidence by itself."""
    crashed = "ends the process" in finding.message
    return crashed or (finding.engine in HISTORIES and "does not return" not in finding.message)


def confirm(
    finding: Finding,
    request: Request,
    seed: int,
    engines: Sequence[Engine],
    command: Sequence[str],
    until: float | None,
) -> Task[Confirmed]:
    """Replay a finding `request.confirm` times in one fresh worker; returns how often it failed."""
    end = time.monotonic() + SECONDS + 2 * request.hang_after
    job = Job(
        request.target,
        seed,
        () if finding.engine == HANDSHAKE else (str(finding.replay["engine"]),),
        request.level,
        until=end if until is None else min(end, until),
        replay=finding.replay,
        tries=request.confirm,
    )
    task = replays(job, engines, request.hang_after, command)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return summed(finding.clause, stop.value)
        yield None


def replays(
    job: Job, engines: Sequence[Engine], hang_after: float, command: Sequence[str]
) -> Task[list[Replayed]]:
    """The events of a job that replays a finding; returns each replay, also one that the worker died of."""
    replayed: list[Replayed] = []
    task = supervise(job, engines, hang_after, command)
    while True:
        try:
            event = next(task)
        except StopIteration as stop:
            death = stop.value.death
            return replayed if death is None else [*replayed, Replayed(death.clause)]
        if isinstance(event, Replayed):
            replayed.append(event)
        yield event


def summed(clause: str, replayed: Sequence[Replayed]) -> Confirmed:
    """What the replays of a finding come to.

    >>> failed, passed = Replayed("TMEM-GET-1"), Replayed("")
    >>> after = Replayed("TMEM-GET-1", after_others=True)
    >>> summed("TMEM-GET-1", [failed, passed, failed])
    Confirmed(clause='TMEM-GET-1', failed=2, tries=3, left_behind=False)
    >>> summed("TMEM-GET-1", [passed, passed, passed, after, after])
    Confirmed(clause='TMEM-GET-1', failed=2, tries=5, left_behind=True)
    >>> summed("TMEM-GET-1", [passed, failed, failed]).left_behind
    True
    """
    failed = [bool(each.clause) for each in replayed]
    after = [bool(each.clause) for each in replayed if each.after_others] or failed[1:]
    left_behind = not any(failed[:1]) and len(after) > 1 and all(after)
    return Confirmed(clause, sum(failed), len(failed), left_behind)
