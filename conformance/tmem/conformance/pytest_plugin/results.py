"""What the suite finds on a target, once for all processes of a session."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from rich.console import Console, RenderableType

from tmem.conformance.cli.waivers import Waiver, load, refuted
from tmem.conformance.pytest_plugin import VERDICT
from tmem.conformance.report import terminal
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import status, verdict
from tmem.conformance.run import replay as replaying
from tmem.conformance.run.check import CONFIRM, LIMIT, check
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError
from tmem.spec.clauses import CLAUSES

WIDTH: Final = 100
"""Columns of a story."""


class Result(NamedTuple):
    """What a run says of one clause, or of the whole: a status or the name of a verdict, and a text."""

    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Results:
    """What a run says of each clause and of the whole. `error` says why the target could not be checked."""

    of: dict[str, Result]
    error: str = ""


def results(config: pytest.Config, target: str) -> Results:
    """Run the suite, unless another process of this session did."""
    with _alone(config, target) as file:
        if file is not None and file.exists():
            content = json.loads(file.read_text("utf-8"))
            return Results({name: Result(*each) for name, each in content["of"].items()}, content["error"])
        found = _checked(config, target)
        if file is not None:
            file.write_text(json.dumps(asdict(found)), "utf-8")
        return found


def _checked(config: pytest.Config, target: str) -> Results:
    seed = config.getoption("tmem_seed") or 0
    summary = Summary(target, seed, "linearizable")
    waivers: Path | None = config.getoption("tmem_waivers")
    try:
        for waiver in [] if waivers is None else load(waivers):
            summary.waived[waiver.clause] = _held(waiver, target)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        budget = config.getoption("tmem_budget")
        request = Request(target, seed, budget=budget, jobs=cores, limit=LIMIT, confirm=CONFIRM)
        with closing(check(request)) as events:
            for event in events:
                summary.add(event)
    except (RunError, ValueError) as failure:
        if not summary.violations:
            return Results({}, f"{target} could not be checked: {failure}")
        summary.notes.append(f"The run could not go on: {failure}")
    of = {clause: Result(status(summary, clause).value, _story(summary, clause)) for clause in CLAUSES}
    of[VERDICT] = Result(verdict(summary).name, _text(terminal.verdict_line(summary)))
    return Results(of)


def _held(waiver: Waiver, target: str) -> str:
    if why := refuted(waiver, target):
        raise ValueError(f"the waiver of {waiver.clause} does not hold: {why}")
    return waiver.reason


def _story(summary: Summary, clause: str) -> str:
    if clause in summary.waived:
        return summary.waived[clause]
    if clause not in summary.findings:
        return ""
    finding = summary.findings[clause]
    try:
        replay = replaying.save(replaying.FOLDER, finding, summary)
    except OSError:
        replay = None
    return _text(terminal.story(finding, replay, summary.confirmed.get(clause)))


def _text(shown: RenderableType) -> str:
    console = Console(width=WIDTH, color_system=None, highlight=False, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.capture() as capture:
        console.print(shown, crop=False)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


@contextmanager
def _alone(config: pytest.Config, target: str) -> Iterator[Path | None]:
    """Hold the lock of the target among the processes of pytest-xdist; the file of its results, or None."""
    if not hasattr(config, "workerinput"):
        yield None
        return
    # Each process has a folder of its own in that of the session, which pytest removes after some sessions.
    folder: Path = getattr(config, "_tmp_path_factory").getbasetemp().parent  # noqa: B009  it is not public
    name = f"tmem-{sha256(target.encode()).hexdigest()[:16]}"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / f"{name}.json"
