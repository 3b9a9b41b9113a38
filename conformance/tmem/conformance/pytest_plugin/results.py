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
from tmem.conformance.events import Finding
from tmem.conformance.pytest_plugin import VERDICT
from tmem.conformance.report import terminal
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Status, Verdict, status, verdict
from tmem.conformance.run import replay as replaying
from tmem.conformance.run.check import CONFIRM, LIMIT, check
from tmem.conformance.run.request import Request, cores
from tmem.conformance.run.supervisor import RunError
from tmem.spec.clauses import CLAUSES

WIDTH: Final = 100
"""Columns of a story."""


class Result(NamedTuple):
    """The outcome of an item, which is passed, failed, xfail or skipped, and the text to it."""

    outcome: str
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
        budget = config.getoption("tmem_budget")
        request = Request(target, seed, budget=budget, jobs=cores(), limit=LIMIT, confirm=CONFIRM)
        with closing(check(request, kept=_kept(target))) as events:
            for event in events:
                summary.add(event)
    except (RunError, ValueError) as failure:
        if not summary.violations:
            return Results({}, f"{target} could not be checked: {failure}")
        summary.notes.append(f"The run could not go on: {failure}")
    of = {clause: _result(summary, clause) for clause in CLAUSES}
    passed = verdict(summary) is Verdict.PASS
    of[VERDICT] = Result("passed" if passed else "failed", _text(terminal.verdict_line(summary)))
    return Results(of)


def _kept(target: str) -> dict[Path, replaying.Replay]:
    return replaying.known(replaying.of_target(replaying.FOLDER, target))


def _result(summary: Summary, clause: str) -> Result:
    said = status(summary, clause)
    match said:
        case Status.PASSED:
            return Result("passed", "")
        case Status.FAILED:
            return Result("failed", _story(summary, summary.findings[clause]))
        case Status.WAIVED:
            return Result("xfail", summary.waived[clause])
        case _:
            return Result("skipped", said.value)


def _held(waiver: Waiver, target: str) -> str:
    if why := refuted(waiver, target):
        raise ValueError(f"the waiver of {waiver.clause} does not hold: {why}")
    return waiver.reason


def _story(summary: Summary, finding: Finding) -> str:
    try:
        replay = replaying.save(replaying.FOLDER, finding, summary)
    except OSError:
        replay = None
    return _text(terminal.story(finding, replay, summary.confirmed.get(finding.clause)))


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
