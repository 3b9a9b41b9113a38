"""Runs `tmem check` on a mutant, up to the first violation."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tmem.conformance.events import Found
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Verdict, unseen, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.turn import Engine
from tools.mutants.mutant import Mutant, overlay

WORKER: Final = (sys.executable, "-P", "-u", "-m", "tools.mutants.worker")
HANG_AFTER: Final = 4.0
"""Seconds without a heartbeat after which an operation counts as hung."""
DEFECT: Final = "a defect of tmem"
"""Words in a message that say that the suite itself failed."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result for a mutant. `by` is the engine or the test that killed it, or empty if it survived.

    `clause` is the broken clause, if any; `hung` says that an operation did not return.
    """

    by: str = ""
    clause: str = ""
    hung: bool = False
    seconds: float = 0.0
    message: str = ""


def checked(mutant: Mutant, target: str, engines: Sequence[Engine]) -> Result:
    """Run these engines on this target with the mutant in place of the package."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tmem-mutant-") as folder:
        os.environ.update(overlay(mutant, Path(folder)))
        found = _first(target, engines)
    return Result(found.by, found.clause, found.hung, round(time.monotonic() - start, 2), found.message)


def _first(target: str, engines: Sequence[Engine]) -> Result:
    summary = Summary(target, 0, "linearizable")
    request = Request(target, hang_after=HANG_AFTER, shrink=0.0)
    try:
        with closing(check(request, engines, WORKER)) as events:
            for event in events:
                if isinstance(event, Found):
                    found = event.finding
                    hung = "does not return within" in found.message
                    return Result(found.engine, found.clause, hung, message=found.message)
                summary.add(event)
    except RunError as error:
        return Result("the suite itself" if DEFECT in str(error) else "handshake", message=str(error))
    if verdict(summary) is Verdict.VACUOUS:
        return Result("vacuity", message="; ".join(unseen(summary).values()))
    return Result(message="" if summary.complete else "not complete")
