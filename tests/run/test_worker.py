"""The worker and its supervisor: whatever the target does, the run goes on and tells what was under way."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.run import stub_engines
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding, Found, Note, Progress, Started, TurnBegan, Worked
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run import hang
from tmem.conformance.run.check import check
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.replay import Replay, again
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import share_out
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.run.time_slices import TimeSlices
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.turn import Engine, Turn

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


@pytest.mark.parametrize(
    ("target", "call", "frame"),
    [
        ("hangs_in_put", "put", "in sleep"),
        ("wedged_in_get", "get", "in wedge"),
        ("spins_in_flush", "flush page", "in spin"),
        ("hangs_in_new_pool", "new pool", "in sleep"),
        ("hangs_in_close", "close()", "in sleep"),
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
        ("segfaults_in_put", "put", "SIGSEGV"),
        ("aborts_in_flush", "flush object", "SIGABRT"),
        ("killed_in_get", "get", "SIGKILL"),
        ("stops_parents_pipe", "get", "exit code 0"),
        ("LeavesChildren", "get", "exit code 7"),
    ],
)
def test_a_crash_is_found_with_its_operations(target: str, call: str, how: str) -> None:
    found = finding(target)
    assert found.clause == "TMEM-CONC-3"
    assert how in found.message
    assert call in found.steps[-1]


def test_a_crash_is_made_small() -> None:
    events, summary = follow("segfaults_in_put", shrink=60.0)
    large, small = (event.finding for event in events if isinstance(event, Found))
    assert len(large.steps) > len(small.steps) == 1
    assert "put" in small.steps[0]
    assert "SIGSEGV" in small.message
    assert summary.findings["TMEM-CONC-3"] == small
    assert "in string_at" in small.picture


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


@pytest.mark.parametrize(
    ("target", "level", "fails"),
    [
        ("OwnLocks", "integrity", False),
        ("OwnLocks", "linearizable", True),
        ("TornLocks", "integrity", True),
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


def test_a_hang_is_made_small() -> None:
    _, summary = follow("hangs_in_put", hang_after=0.5, shrink=60.0)
    assert len(summary.findings["TMEM-CONC-3"].steps) == 1


def test_a_crash_in_c_reports_where_it_happened() -> None:
    assert "in string_at" in finding("segfaults_in_put").picture


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


def test_after_a_hang_the_next_engine_goes_on() -> None:
    events, summary = follow("hangs_in_put", ENGINES, hang_after=1.0)
    begun = [event.engine for event in events if isinstance(event, TurnBegan)]
    assert begun == [engine.name for engine in ENGINES]
    assert sum(isinstance(event, Started) for event in events) > 1, "a new worker"
    assert not summary.complete


def test_a_crash_while_loading_is_no_verdict_on_the_target() -> None:
    with pytest.raises(
        RunError, match=r"could not be loaded: making a backend with it ends the process by SIGSEGV"
    ) as caught:
        follow("crashes")
    assert "in crashes" in caught.value.details


def test_a_factory_that_never_returns_is_no_verdict_on_the_target() -> None:
    with pytest.raises(RunError, match=r"loaded: making a backend with it does not return within 2\.4 s"):
        follow("hangs", hang_after=0.2)


def test_an_import_that_never_returns_is_no_verdict_on_the_target(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(3600)\n")
    with pytest.raises(RunError, match=r"importing it does not return within 0\.5 s; --hang-after"):
        follow(f"py:{tmp_path / 'waits.py'}:factory", hang_after=0.5)


def test_an_import_that_takes_long_is_not_the_making_of_a_backend(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(
        "import time\ntime.sleep(2.5)\n"
        "from tmem.model import Adversary\nfactory = lambda: Adversary('keep')\n"
    )
    _, summary = follow(f"py:{tmp_path / 'late.py'}:factory")
    assert summary.notes == []


def test_a_slow_factory_is_no_hang() -> None:
    _, summary = follow("slow", stub("slow"), hang_after=0.7, command=STUBS)
    assert summary.findings == {}
    assert summary.complete
    assert "Making a backend takes about 1 s" in summary.notes[0]


def test_a_factory_that_fails_later_says_so() -> None:
    with pytest.raises(RunError, match=r"the factory raised OSError: .*Too many open files"):
        follow("fails_later")


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


def test_a_budget_cuts_the_run_short() -> None:
    start = time.process_time()
    request = Request("model:keep", budget=6.0, scale=100.0)
    summary = Summary("model:keep", 0, "linearizable")
    for event in check(request, VOLUME):
        summary.add(event)
    assert not summary.complete
    assert time.process_time() - start < 6
    assert summary.operations > 0
    assert verdict(summary) is Verdict.UNKNOWN


def test_a_short_budget_gives_every_engine_its_part() -> None:
    request = Request("model:keep", budget=12.0, scale=100.0)
    summary = Summary("model:keep", 0, "linearizable")
    reported = dict.fromkeys((engine.name for engine in ENGINES), 0)
    engine = ""
    for event in check(request):
        summary.add(event)
        engine = event.engine if isinstance(event, TurnBegan) else engine
        reported[engine] = reported.get(engine, 0) + (event.operations if isinstance(event, Progress) else 0)
    assert all(reported[name] > 0 for name in ("machine", "volume", "schedules", "stress")), reported
    assert verdict(summary) is Verdict.UNKNOWN
    (note,) = (note for note in summary.notes if "budget" in note)
    assert all(f"{name} " in note for name in ("machine", "volume", "schedules", "stress"))


def test_a_turn_that_was_cut_short_continues_where_it_stopped() -> None:
    clock = iter([10.0, 7.0, 4.0, 2.0, 0.0])
    slices = TimeSlices({"one": 0.5, "two": 0.25, "three": 0.25}, lambda: next(clock))
    taken = []
    for name, seconds in slices:
        taken.append((name, seconds))
        slices.done[name] += 0.6 if name == "two" else 1
    assert taken == [("one", 5.0), ("two", 3.5), ("three", 4.0), ("two", 2.0)]
    assert slices.complete


def test_turns_end_with_the_time() -> None:
    clock = iter([1.0, 0.0])
    slices = TimeSlices({"one": 0.5, "two": 0.5}, lambda: next(clock))
    assert [name for name, _ in slices] == ["one"]
    assert not slices.complete


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.name != "canaries"])
def test_an_engine_begins_where_an_earlier_turn_ended(engine: Engine) -> None:
    def programs(done: float) -> int:
        reported: list[Event] = []
        target = resolve("impl")
        turn = Turn("impl", target.fresh, 1, reported.append, scale=0.2, source=target.source, done=done)
        engine.run(turn)
        return sum(event.programs for event in reported if isinstance(event, Progress))

    assert 0.3 * programs(0) < programs(0.5) < 0.7 * programs(0)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_budget_lets_a_run_go_on_with_further_seeds(jobs: int) -> None:
    request = Request("model:keep", seed=5, budget=120.0, scale=0.01, jobs=jobs)
    seeds, done = [], {}
    with closing(check(request, VOLUME)) as events:
        for event in events:
            if isinstance(event, Started):
                seeds.append(event.seed)
            elif isinstance(event, Worked):
                assert seeds == [5], "further seeds come after the counted round"
                done = event.done
            if len(seeds) == 4:
                break
    assert sorted(seeds) == [5, 6, 7, 8]
    assert done == {"volume": 1.0}


def test_equal_seeds_give_equal_runs() -> None:
    def reported(seed: int) -> list[Event]:
        return list(check(Request("model:random", seed, scale=0.01), VOLUME))[:-1]

    assert reported(1) == reported(1) != reported(2)


def test_workers_side_by_side_find_the_same() -> None:
    def found(jobs: int) -> dict[str, object]:
        target = f"py:{SUPPORT / 'hostile.py'}:answers_none_to_put"
        engines = tuple(each for each in ENGINES if each.name in ("machine", "volume", "schedules"))
        events = list(check(Request(target, 3, scale=0.05, jobs=jobs), engines))
        findings = sorted(str(event.finding) for event in events if isinstance(event, Found))
        work = [event.done for event in events if isinstance(event, Worked)]
        totals = Summary(target, 3, "linearizable")
        for event in events:
            totals.add(event)
        return {
            "findings": findings,
            "work": work,
            "totals": (totals.totals, totals.checks, totals.points),
            "summary": {clause: str(each) for clause, each in totals.findings.items()},
        }

    one = found(1)
    assert one["findings"]
    assert found(2) == one
    assert found(3) == one


def test_engines_are_distributed_by_the_time_that_they_take() -> None:
    groups = share_out(ENGINES, 2)
    assert sorted(each.name for group in groups for each in group) == sorted(each.name for each in ENGINES)
    assert all(0.3 < sum(each.share for each in group) < 0.7 for group in groups)
    assert [len(group) for group in share_out(ENGINES, 100)] == [1] * len(ENGINES)


def test_the_answer_for_a_slow_target_says_how_much_was_done() -> None:
    request = Request("model:keep", limit=6.0, scale=100.0)
    summary = Summary("model:keep", 0, "linearizable")
    for event in check(request, VOLUME):
        summary.add(event)
    assert summary.complete
    assert 0 < summary.work["volume"] < 1
    assert any("Done of the counted run: volume" in note for note in summary.notes)


def test_closing_ends_the_worker_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with closing(check(Request("model:keep", scale=100.0), VOLUME)) as events:
        next(events)
        next(events)
        assert list(tmp_path.iterdir())
        (child,) = children()
    assert list(tmp_path.iterdir()) == []
    assert child not in children()


def children() -> set[int]:
    """The processes that this one started."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def test_children_of_a_crashed_target_are_ended(tmp_path: Path) -> None:
    mine = tmp_path / "hostile.py"
    mine.write_bytes((SUPPORT / "hostile.py").read_bytes())
    _, summary = follow(f"py:{mine}:LeavesChildren")
    assert "exit code 7" in summary.findings["TMEM-CONC-3"].message
    patience = time.monotonic() + 10  # a process that was killed takes a moment to go
    while running(str(mine)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not running(str(mine))


def running(word: str) -> list[bytes]:
    """The command lines on this machine that hold a word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if word.encode() in command:
            found.append(command)
    return found
