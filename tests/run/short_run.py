"""Short runs of targets that misbehave, and of engines that do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.run import stub_engines
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.request import Request
from tmem.conformance.turn import Engine

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
VOLUME = tuple(engine for engine in ENGINES if engine.name == "volume")
SCHEDULES = tuple(engine for engine in ENGINES if engine.name == "schedules")
STUBS = (sys.executable, "-u", str(HERE / "stub_engines.py"))


def stub(*names: str) -> tuple[Engine, ...]:
    return tuple(engine for engine in stub_engines.ENGINES if engine.name in names)


def follow(
    target: str,
    engines: Sequence[Engine] = VOLUME,
    hang_after: float = 5.0,
    budget: float | None = None,
    command: Sequence[str] = COMMAND,
    shrink: float = 0.0,
    scale: float = 0.01,
) -> tuple[list[Event], Summary]:
    """All events of a short run, and their account. `target` is a name in hostile.py, or a whole TARGET."""
    text = target if ":" in target else f"py:{SUPPORT / 'hostile.py'}:{target}"
    request = Request(text, budget=budget, hang_after=hang_after, scale=scale, shrink=shrink)
    events = list(check(request, engines, command))
    summary = Summary(text, 0, "linearizable")
    for event in events:
        summary.add(event)
    return events, summary


def finding(target: str, hang_after: float = 5.0) -> Finding:
    """The one violation of a short run, which must be FAIL."""
    _, summary = follow(target, hang_after=hang_after)
    assert verdict(summary) is Verdict.FAIL
    (found,) = summary.findings.values()
    return found
