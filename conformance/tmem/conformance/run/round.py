"""One round: every engine does its counted work once, for one seed, in as many workers as it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from tmem.conformance.events import Finding, Found, TurnBegan
from tmem.conformance.report.summary import rank
from tmem.conformance.run.cluster import Cluster, elsewhere
from tmem.conformance.run.confirm import confirm, stands_alone
from tmem.conformance.run.crash import smaller
from tmem.conformance.run.messages import Job
from tmem.conformance.run.piece import Ended, Piece, work
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import Result, Task, merged, share_out
from tmem.conformance.run.supervisor import End, RunError, supervise
from tmem.conformance.turn import Engine

QUICK: Final = 1.0
"""Seconds after which an operation counts as hung while its program is made small; the result is checked."""


class Round:
    """The engines' work for one seed, which ends at `until` in `time.monotonic` seconds, if not before."""

    def __init__(
        self,
        request: Request,
        seed: int,
        engines: Sequence[Engine],
        command: Sequence[str],
        until: float | None,
        cluster: Cluster | None = None,
    ) -> None:
        self._request = request
        self._seed = seed
        self._engines = engines
        self._command = command
        self._cluster = cluster
        self.until = until
        self.done = dict.fromkeys((engine.name for engine in engines), 0.0)
        """How much of its work each engine has done, 0 to 1; those that died are left out."""
        self.deaths: list[Finding] = []
        self.findings: dict[str, Finding] = {}
        """The best finding of each clause."""

    def run(self, workers: int) -> Task[bool]:
        """Run the engines in this number of workers at once. Returns whether all of them finished."""
        groups = share_out(self._engines, workers)
        names = [tuple(engine.name for engine in group) for group in groups]
        ended = yield from self._noted(
            merged([self._piece(Piece(self._request, self._seed, each)) for each in names])
        )
        done = {name: share for each in ended for name, share in each.done.items()}
        self.done = {engine.name: done[engine.name] for engine in self._engines if engine.name in done}
        self.deaths = [death for each in ended for death in each.deaths]
        if self.deaths:
            yield from self._noted(self._smaller(self.deaths[0]))
        return all(each.complete for each in ended)

    def _piece(self, piece: Piece) -> Task[Ended]:
        if self._cluster is not None:
            return elsewhere(self._cluster.executor, piece, self.until)
        return work(piece, self.until, self._engines, self._command)

    def confirm(self, workers: int) -> Task[None]:
        """Replay each finding that is no evidence by itself, some at once; report how often it failed."""
        doubtful = [found for found in self.findings.values() if not stands_alone(found)]
        for first in range(0, len(doubtful), workers):
            confirmed = yield from merged(
                [
                    confirm(each, self._request, self._seed, self._engines, self._command, self.until)
                    for each in doubtful[first : first + workers]
                ]
            )
            for each in confirmed:
                if each.tries:
                    yield each

    def _noted(self, task: Task[Result]) -> Task[Result]:
        """The events of a task; keeps the best finding of each clause."""
        while True:
            try:
                event = next(task)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            if isinstance(event, Found):
                found = event.finding
                self.findings[found.clause] = min(found, self.findings.get(found.clause, found), key=rank)
            yield event

    def _left(self) -> float | None:
        return None if self.until is None else self.until - time.monotonic()

    def _smaller(self, death: Finding) -> Task[None]:
        left = self._left()
        seconds = self._request.shrink if left is None else min(left, self._request.shrink)
        if seconds <= 0:
            return
        yield TurnBegan(death.engine, "making its counterexample smaller", 0.0)
        hang_after = self._request.hang_after
        quick = min(hang_after, max(QUICK, hang_after / 5))
        small = smaller(death, lambda data: self._again(data, quick), seconds)
        if small is not None and (sure := self._again(small.replay, hang_after)):
            yield Found(sure)

    def _again(self, data: dict[str, object], hang_after: float) -> Finding | None:
        """Run replay data in a worker; the finding of its death."""
        job = Job(self._request.target, self._seed, (str(data["engine"]),), self._request.level, replay=data)
        watched = supervise(job, self._engines, hang_after, self._command)
        try:
            while True:
                next(watched)
        except StopIteration as stop:
            end: End = stop.value
            return end.death
        except RunError:
            return None
