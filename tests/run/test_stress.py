"""Real threads: callers that hang are noticed, whatever the reclaimer does meanwhile."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from tmem.conformance.conforming.wrapper import Wrapper
from tmem.conformance.engines.stress import RECLAIMED, Stress
from tmem.conformance.events import Event, Found
from tmem.conformance.report.summary import Summary
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.turn import Turn
from tmem.model import Adversary
from tools import endurance

HANGS = """
import threading

from tmem.conformance.conforming.wrapper import Wrapper
from tmem.model import Adversary


class Hangs(Wrapper):
    def put(self, *arguments):
        threading.Event().wait()


def factory():
    return Hangs(Adversary("keep"))
"""


def test_callers_that_hang_are_noticed_though_the_reclaimer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text(HANGS)
    request = Request(f"py:{path}:factory", budget=20.0, hang_after=1.0, shrink=0.0)
    with closing(check(request, engines=(Stress(),))) as events:
        found = next((event.finding for event in events if isinstance(event, Found)), None)
    assert found is not None, "the run went on as long as the reclaimer did"
    assert found.clause == "TMEM-CONC-3"
    assert "does not return" in found.message


def test_a_run_counts_its_operations_and_the_pages_that_reclaim_let_go() -> None:
    summary = Summary("impl", 0, "linearizable")
    for event in check(Request("impl", scale=0.1), engines=(Stress(),)):
        summary.add(event)
    assert not summary.findings
    assert summary.operations > 3_000
    assert summary.points[RECLAIMED] > 10


def test_the_page_of_endurance_is_what_is_recorded() -> None:
    recorded = json.loads(endurance.RESULT.read_text("utf-8"))
    assert endurance.PAGE.read_text("utf-8") == endurance.page(recorded), "it is written by make endurance"
    assert not [row for row in (*recorded["checked"], recorded["stress"]) if row["violations"]]


class CountsThreads(Wrapper):
    """Has a table with 126 places for the threads that ever put a page."""

    def __init__(self) -> None:
        super().__init__(Adversary("keep"))
        self.seen: set[int] = set()

    def put(self, *arguments: Any) -> bool:
        self.seen.add(threading.get_native_id())
        if len(self.seen) > 126:
            raise RuntimeError("the table of threads is full")
        return super().put(*arguments)


def test_three_hundred_threads_come_and_go() -> None:
    events: list[Event] = []
    Stress().run(Turn("counts", lambda number: CountsThreads(), 0, emit=events.append, scale=0.01))
    findings = [event.finding for event in events if isinstance(event, Found)]
    assert [each.clause for each in findings] == ["TMEM-ERR-1"]
    assert "→ RuntimeError(the table of threads is full)" in "".join(findings[0].steps)
