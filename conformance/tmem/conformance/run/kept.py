"""Failures that earlier runs of the target kept: they are replayed before the engines begin."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tmem.conformance.events import Found, Kept, Note
from tmem.conformance.run.confirm import replays
from tmem.conformance.run.heartbeat import HANDSHAKE
from tmem.conformance.run.messages import Job
from tmem.conformance.run.replay import Replay
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import Task
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.turn import Engine

MOST: Final = 8
"""Files that are replayed first."""
SECONDS: Final = 15.0
"""Wall time for one of them, beside the time of hangs."""


def again(
    kept: Mapping[Path, Replay],
    request: Request,
    engines: Sequence[Engine],
    command: Sequence[str],
    until: float | None,
) -> Task[None]:
    """Replay failures: Found where one fails, and Kept for each.

    Those that came by chance, or at another level, are left out.
    """
    names = [engine.name for engine in engines]
    fit = [
        (path, each)
        for path, each in kept.items()
        if not each.by_chance
        and each.level == request.level
        and each.data.get("engine") in (*names, HANDSHAKE)
    ]
    for path, each in fit[:MOST]:
        if until is not None and time.monotonic() > until:
            return
        try:
            failed = yield from _one(each, request, engines, command, until)
        except RunError as error:
            yield Note(f"{path} could not be replayed: {error}")
        else:
            yield Kept(str(path), each.clause, failed)


def _one(
    recorded: Replay,
    request: Request,
    engines: Sequence[Engine],
    command: Sequence[str],
    until: float | None,
) -> Task[bool]:
    engine = str(recorded.data["engine"])
    end = time.monotonic() + SECONDS + 2 * request.hang_after
    job = Job(
        request.target,
        recorded.seed,
        () if engine == HANDSHAKE else (engine,),
        request.level,
        until=end if until is None else min(end, until),
        replay=recorded.data,
        real_threads=request.real_threads,
        own=request.own,
    )
    task = replays(job, engines, request.hang_after, command)
    while True:
        try:
            event = next(task)
        except StopIteration as stop:
            return any(each.clause for each in stop.value)
        if event is None or isinstance(event, Found):
            yield event
