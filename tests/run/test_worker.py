"""The worker process and its supervisor: engines that fail, events between the two, and the end of both."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.run.short_run import STUBS, VOLUME, follow, stub
from tests.support.processes import children
from tmem.conformance.events import Note
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run import hang
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError


def test_an_engine_without_progress_is_a_defect_of_tmem_not_of_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hang, "ENGINE_PATIENCE", 1.0)
    with pytest.raises(RunError, match="the suite itself failed"):
        follow("model:keep", stub("stuck"), hang_after=0.1, command=STUBS)


def test_a_defect_of_an_engine_is_one_line_and_a_separate_traceback() -> None:
    with pytest.raises(RunError) as caught:
        follow("model:keep", stub("broken"), command=STUBS)
    assert str(caught.value) == "the suite itself failed, a defect of tmem: AssertionError: a defect"
    assert "in run" in caught.value.details


def test_a_worker_that_does_not_start_is_a_defect_of_tmem() -> None:
    command = (sys.executable, "-c", "raise SystemExit('no worker here')")
    with pytest.raises(RunError, match="the suite itself failed") as caught:
        follow("model:keep", command=command)
    assert "no worker here" in caught.value.details


def test_a_worker_that_an_operator_ends_is_no_verdict_on_the_target() -> None:
    _, summary = follow("model:keep", stub("ended"), command=STUBS)
    assert verdict(summary) is Verdict.UNKNOWN
    assert summary.notes == ["Something outside ends the process by SIGTERM: the run is not complete."]


def test_an_engine_that_ignores_the_deadline_is_ended() -> None:
    start = time.monotonic()
    _, summary = follow("model:keep", stub("deaf"), hang_after=0.5, budget=0.5, command=STUBS)
    assert time.monotonic() - start < 30
    assert verdict(summary) is Verdict.UNKNOWN


def test_many_and_long_events_arrive() -> None:
    _, summary = follow("model:keep", stub("talker"), command=STUBS)
    assert summary.operations == 2000
    assert summary.notes == ["x" * 1_000_000]


def test_what_is_not_an_event_is_dropped_and_reported() -> None:
    events, summary = follow("model:keep", stub("garbler"), command=STUBS)
    assert Note("whole again") in events
    assert "4 lines that the worker sent were no events" in summary.notes[-1]
    assert summary.complete


def test_closing_ends_the_worker_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with closing(check(Request("model:keep", scale=100.0), VOLUME)) as events:
        next(events)
        next(events)
        assert list(tmp_path.iterdir())
        (child,) = children()
    assert list(tmp_path.iterdir()) == []
    assert child not in children()
