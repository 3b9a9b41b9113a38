"""How a run divides its time: the turns of engines, budgets and further seeds."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from tests.run.short_run import VOLUME
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Progress, Started, TurnBegan, Worked
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Verdict, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.run.time_slices import TimeSlices
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.turn import Engine, Turn


def test_a_budget_cuts_the_run_short() -> None:
    request = Request("model:keep", budget=3.0, scale=100.0)
    summary = Summary("model:keep", 0, "linearizable")
    start = time.process_time()
    for event in check(request, VOLUME):
        summary.add(event)
    assert not summary.complete
    assert time.process_time() - start < 3
    assert summary.operations > 0
    assert verdict(summary) is Verdict.UNKNOWN


def short_run(budget: float) -> tuple[Summary, dict[str, int]]:
    """A run that cannot do all its work, with the operations of each engine."""
    summary = Summary("model:keep", 0, "linearizable")
    reported = dict.fromkeys((engine.name for engine in ENGINES), 0)
    engine = ""
    for event in check(Request("model:keep", budget=budget, scale=100.0)):
        summary.add(event)
        engine = event.engine if isinstance(event, TurnBegan) else engine
        reported[engine] = reported.get(engine, 0) + (event.operations if isinstance(event, Progress) else 0)
    return summary, reported


@pytest.mark.long
def test_a_short_budget_gives_every_engine_its_part() -> None:
    names = ("machine", "volume", "schedules", "stress")
    for budget in (12.0, 48.0, 192.0):  # a busy machine does little in twelve seconds
        summary, reported = short_run(budget)
        if all(reported[name] for name in names):
            break
    assert all(reported[name] for name in names), reported
    assert verdict(summary) is Verdict.UNKNOWN
    (note,) = (note for note in summary.notes if "budget" in note)
    assert all(f"{name} " in note for name in names)


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


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(
            engine, marks=[pytest.mark.long] * (engine.name not in ("claims", "volume")), id=engine.name
        )
        for engine in ENGINES
        if engine.name != "canaries"
    ],
)
def test_an_engine_begins_where_an_earlier_turn_ended(engine: Engine) -> None:
    def programs(done: float) -> int:
        reported: list[Event] = []
        target = resolve("impl")
        scale = 0.1 if engine.name == "volume" else 0.2
        turn = Turn("impl", target.fresh, 1, reported.append, scale=scale, source=target.source, done=done)
        engine.run(turn)
        return sum(event.programs for event in reported if isinstance(event, Progress))

    assert 0.3 * programs(0) < programs(0.5) < 0.7 * programs(0)


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.long), 3])
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


def test_the_answer_for_a_slow_target_says_how_much_was_done() -> None:
    request = Request("model:keep", limit=3.0, scale=100.0)
    summary = Summary("model:keep", 0, "linearizable")
    for event in check(request, VOLUME):
        summary.add(event)
    assert summary.complete
    assert 0 < summary.work["volume"] < 1
    assert any("Done of the counted run: volume" in note for note in summary.notes)
