"""Targets that answer oddly, raise, print or leave threads behind: which clause they break, if any."""

from __future__ import annotations

import pytest

from tests.run.short_run import SUPPORT, follow
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.replay import Replay, again
from tmem.conformance.run.request import Request


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("raises_base", "Base(odd)"),
        ("raises_exit", "SystemExit(0)"),
        ("raises_interrupt", "KeyboardInterrupt()"),
        ("raises_key_error", "KeyError('x')"),
        ("answers_text", "text"),
        ("answers_none_to_put", "None"),
        ("close_raises", "RuntimeError(cannot)"),
        ("Recurses", "RecursionError"),
    ],
)
def test_odd_answers_and_exceptions_break_the_clause_that_says_so(target: str, said: str) -> None:
    _, summary = follow(target)
    assert verdict(summary) is Verdict.FAIL
    found = summary.findings["TMEM-ERR-1"]
    assert said in found.message + found.steps[-1]


def test_a_memoryview_breaks_one_clause_whatever_engine_sees_it() -> None:
    engines = tuple(
        engine for engine in ENGINES if engine.name in ("machine", "volume", "schedules", "stress")
    )
    events, summary = follow("AnswersView", engines)
    assert list(summary.findings) == ["TMEM-ERR-1"]
    engines_that_saw = {event.finding.engine for event in events if isinstance(event, Found)}
    assert engines_that_saw == {"machine", "volume", "schedules", "stress"}


@pytest.mark.parametrize("target", ["Good", "Prints", "LeavesThreads", "WritesOnPipes"])
def test_noise_changes_nothing(target: str) -> None:
    _, summary = follow(target)
    assert summary.findings == {}
    assert summary.complete
    assert summary.operations > 1000


@pytest.mark.parametrize(
    ("target", "level", "fails"),
    [
        pytest.param("OwnLocks", "integrity", False, marks=pytest.mark.long),
        pytest.param("OwnLocks", "linearizable", True, marks=pytest.mark.long),
        pytest.param("TornLocks", "integrity", True, marks=pytest.mark.long),
    ],
)
def test_the_level_says_what_overlapping_calls_must_keep(target: str, level: str, fails: bool) -> None:
    request = Request(f"py:{SUPPORT / 'hostile.py'}:{target}", level=level, scale=0.4)
    engines = tuple(each for each in ENGINES if each.name in ("schedules", "stress", "volume"))
    findings = [event.finding for event in check(request, engines) if isinstance(event, Found)]
    assert bool(findings) is fails, findings
    for found in findings:
        recorded = Replay(request.target, 0, level, found.clause, found.replay)
        if found.engine == "schedules":
            assert any(isinstance(event, Found) for event in again(recorded))
