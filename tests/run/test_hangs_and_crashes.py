"""A target that hangs or crashes: the run reports it with its operations, and goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.run.short_run import SCHEDULES, STUBS, SUPPORT, VOLUME, finding, follow, stub
from tests.support.processes import running
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found, Started, TurnBegan
from tmem.conformance.run.replay import Replay, again

LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("target", "call", "frame"),
    [
        pytest.param("hangs_in_put", "put", "in sleep", marks=LONG),
        ("wedged_in_get", "get", "in wedge"),
        ("spins_in_flush", "flush page", "in spin"),
        pytest.param("hangs_in_new_pool", "new pool", "in sleep", marks=LONG),
        pytest.param("hangs_in_close", "close()", "in sleep", marks=LONG),
    ],
)
def test_a_hang_is_found_with_its_operations_and_stacks(target: str, call: str, frame: str) -> None:
    found = finding(target, hang_after=1.0)
    assert found.clause == "TMEM-CONC-3"
    assert call in found.message
    assert "does not return within 1 s" in found.message
    assert call in found.steps[-1]
    assert frame in found.picture
    assert "tmem/conformance" not in found.picture, "the suite's own frames are beside the point"


@pytest.mark.parametrize(
    ("target", "call", "how"),
    [
        ("exits_in_get", "get", "exit code 3"),
        pytest.param("segfaults_in_put", "put", "SIGSEGV", marks=LONG),
        ("aborts_in_flush", "flush object", "SIGABRT"),
        pytest.param("killed_in_get", "get", "SIGKILL", marks=LONG),
        ("stops_parents_pipe", "get", "exit code 0"),
        pytest.param("LeavesChildren", "get", "exit code 7", marks=LONG),
    ],
)
def test_a_crash_is_found_with_its_operations(target: str, call: str, how: str) -> None:
    found = finding(target)
    assert found.clause == "TMEM-CONC-3"
    assert how in found.message
    assert call in found.steps[-1]


@LONG
def test_a_crash_is_made_small() -> None:
    events, summary = follow("segfaults_in_put", shrink=60.0)
    large, small = (event.finding for event in events if isinstance(event, Found))
    assert len(large.steps) > len(small.steps) == 1
    assert "put" in small.steps[0]
    assert "SIGSEGV" in small.message
    assert summary.findings["TMEM-CONC-3"] == small
    assert "in string_at" in small.picture


@LONG
def test_a_hang_is_made_small() -> None:
    _, summary = follow("hangs_in_put", hang_after=0.5, shrink=60.0)
    assert len(summary.findings["TMEM-CONC-3"].steps) == 1


def test_a_crash_in_c_reports_where_it_happened() -> None:
    assert "in string_at" in finding("segfaults_in_put").picture


@LONG
def test_a_crash_under_a_schedule_is_reported_and_replays() -> None:
    target = f"py:{SUPPORT / 'hostile.py'}:DiesOfTwoPuts"
    engines = (*VOLUME, *SCHEDULES)
    _, summary = follow(target, engines=engines, scale=0.3)
    found = summary.findings["TMEM-CONC-3"]
    assert found.engine == "schedules"
    assert "one of these ends the process with exit code 9" in found.message
    assert {"thread 1", "thread 2"} <= {step.partition(":")[0] for step in found.steps}
    recorded = Replay(target, 0, "linearizable", found.clause, found.replay)
    for _ in range(2):
        reported = [event for event in again(recorded, engines=engines) if isinstance(event, Found)]
        assert [each.finding.message for each in reported] == [found.message]
    assert not any(isinstance(event, Found) for event in again(recorded, "impl", engines=engines))


def test_a_crash_before_any_schedule_counts_as_one_of_schedules() -> None:
    target = f"py:{SUPPORT / 'hostile.py'}:segfaults_in_put"
    _, summary = follow(target, engines=SCHEDULES)
    found = summary.findings["TMEM-CONC-3"]
    recorded = Replay(target, 0, "linearizable", found.clause, found.replay)
    assert any(isinstance(event, Found) for event in again(recorded, engines=SCHEDULES))


@LONG
def test_after_a_hang_the_next_engine_goes_on() -> None:
    events, summary = follow("hangs_in_put", ENGINES, hang_after=1.0)
    begun = [event.engine for event in events if isinstance(event, TurnBegan)]
    assert begun == [engine.name for engine in ENGINES]
    assert sum(isinstance(event, Started) for event in events) > 1, "a new worker"
    assert not summary.complete


def test_a_hang_names_the_step_the_program_and_the_variant() -> None:
    events, _ = follow("model:keep", stub("hung"), hang_after=0.5, command=STUBS)
    (found,) = (event.finding for event in events if isinstance(event, Found))
    assert found.steps[:2] == ("step 0 of p", "step 1 of p")
    assert found.steps[2] == "step 2 of p → does not return within 0.5 s"
    assert found.replay == {"engine": "hung", "variant": 7, "program": "p"}


def test_slow_steps_and_long_pauses_are_no_hangs() -> None:
    _, summary = follow("model:keep", stub("slow", "thinker"), hang_after=1.5, command=STUBS)
    assert summary.findings == {}
    assert summary.complete


def test_children_of_a_crashed_target_are_ended(tmp_path: Path) -> None:
    mine = tmp_path / "hostile.py"
    mine.write_bytes((SUPPORT / "hostile.py").read_bytes())
    _, summary = follow(f"py:{mine}:LeavesChildren")
    assert "exit code 7" in summary.findings["TMEM-CONC-3"].message
    patience = time.monotonic() + 10  # a process that was killed takes a moment to go
    while running(str(mine)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not running(str(mine))
