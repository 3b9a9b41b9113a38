"""What was seen once and does not come again is no verdict; what comes again by chance has its rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.short_run import VOLUME
from tmem.conformance.engines import ENGINES
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import rate
from tmem.conformance.report.verdict import Status, Verdict, status, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.replay import again, load, save
from tmem.conformance.run.request import Request
from tmem.conformance.turn import Engine

ONCE = """
import time
from pathlib import Path
from tmem.model import Adversary

SEEN = Path(__file__).with_suffix(".seen")


class Once(Adversary):
    gets = 0

    def get(self, *slot):
        Once.gets += 1
        if Once.gets > 200 and not SEEN.exists():
            SEEN.touch()
            return self.once()
        return super().get(*slot)

    def once(self):
        {what}


def factory():
    return Once("keep")
"""
LEFT = """
from tmem.model import Adversary

LEFT = {}


class Leaves(Adversary):
    def __init__(self):
        super().__init__("keep")
        self.mine = {}

    def put(self, client, pool, oid, index, page):
        self.mine[client, pool, oid, index] = bytes(page)
        return super().put(client, pool, oid, index, page)

    def get(self, *slot):
        page = super().get(*slot)
        return page if page is not None or slot in self.mine else LEFT.get(slot)

    def close(self):
        LEFT.update(self.mine)
        super().close()


factory = Leaves
"""
MACHINES = tuple(engine for engine in ENGINES if engine.name == "machine")


def run(target: str, engines: tuple[Engine, ...] = VOLUME, confirm: int = 3) -> Summary:
    summary = Summary(target, 0, "linearizable")
    request = Request(target, hang_after=1.0, scale=0.02, shrink=0.0, confirm=confirm)
    for event in check(request, engines):
        summary.add(event)
    return summary


@pytest.mark.parametrize(
    ("what", "clause"), [("time.sleep(3600)", "TMEM-CONC-3"), ("return bytes(4096)", "TMEM-PUT-2")]
)
def test_what_was_seen_once_is_unknown_and_told(tmp_path: Path, what: str, clause: str) -> None:
    path = tmp_path / "once.py"
    path.write_text(ONCE.replace("{what}", what))
    summary = run(f"py:{path}:factory")
    assert list(summary.seen_once) == [clause]
    assert summary.violations == {}
    assert verdict(summary) is Verdict.UNKNOWN
    assert status(summary, clause) is Status.SEEN_ONCE
    assert "seen once, and proves nothing" in rate(summary.confirmed[clause])
    recorded = load(save(tmp_path / "replays", summary.findings[clause], summary))
    assert recorded.by_chance


@pytest.mark.long
def test_what_comes_again_fails(tmp_path: Path) -> None:
    path = tmp_path / "always.py"
    text = ONCE.replace("{what}", "return bytes(4096)").replace("SEEN.touch()", "pass")
    path.write_text(text.replace("Once.gets > 200", "True"))
    summary = run(f"py:{path}:factory")
    assert verdict(summary) is Verdict.FAIL
    assert summary.seen_once == {}
    assert all(each.failed == each.tries == 3 for each in summary.confirmed.values())
    clause, found = next(iter(summary.findings.items()))
    recorded = load(save(tmp_path / "replays", found, summary))
    assert recorded.rate == (3, 3)
    assert not recorded.by_chance
    replayed = Summary(recorded.target, 0, "linearizable")
    for event in again(recorded, tries=4):
        replayed.add(event)
    assert (replayed.confirmed[clause].failed, replayed.confirmed[clause].tries) == (4, 4)


def test_a_crash_is_evidence_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "once.py"
    path.write_text(ONCE.replace("{what}", "import os; os.abort()"))
    assert verdict(run(f"py:{path}:factory")) is Verdict.FAIL


@pytest.mark.parametrize(
    "engines",
    [pytest.param(VOLUME, id="volume"), pytest.param(MACHINES, marks=pytest.mark.long, id="machine")],
)
def test_what_an_earlier_backend_left_behind_is_recognised(
    tmp_path: Path, engines: tuple[Engine, ...]
) -> None:
    path = tmp_path / "leaves.py"
    path.write_text(LEFT)
    summary = run(f"py:{path}:factory", engines)
    assert verdict(summary) is Verdict.FAIL
    left = [each for each in summary.confirmed.values() if each.left_behind]
    assert left, summary.confirmed
    assert "A factory must return a fresh backend" in rate(left[0])
