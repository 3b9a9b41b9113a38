"""The bench: its arithmetic, its rows, and tables that come from what was measured. No time is asserted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import bench.__main__ as command
from bench import history, history_agreement, schedules, stores
from bench.crowd import busy_thread, rate
from bench.experiments import holds, operations, pressure, scale, sizes, threads
from bench.pages import PAGE, SHARES, mixed, of_kind
from bench.peers import LIMIT
from bench.peers.plain_dict import PlainDict
from bench.plan import QUICK, Plan, contenders
from bench.report import DOCUMENT, render
from bench.results import Results
from bench.rounds import Ratio, in_turn, percentile, ratio
from bench.rows import GOALS, Goal, rows
from bench.servers import Server
from bench.subjects import Contender, Missing, prove
from bench.variants import VARIANTS

DOCS = Path(__file__).parents[2] / "docs"
TINY = replace(
    QUICK,
    variants=("pure",),
    peers=(LIMIT, "dict + lz4 + lock"),
    rounds=2,
    chunk=32,
    resident=128,
    threads=(1, 2),
    thread_rounds=1,
    thread_seconds=0.002,
    levels=(128, 256),
)


@pytest.mark.parametrize(
    ("measure", "option"),
    [
        (history.main, "--rounds"),
        (history_agreement.main, "--histories"),
        (history_agreement.main, "--workers"),
        (schedules.main, "--rounds"),
        (schedules.main, "--programs"),
        (schedules.main, "--bounded"),
    ],
)
def test_nothing_is_measured_no_times(measure: click.Command, option: str) -> None:
    result = CliRunner().invoke(measure, [option, "0"])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': 0 is not in the range x>=1" in result.stderr


# Rounds


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([1, 10, 100], [2, 5, 10]) == Ratio(median=2, low=0.5, high=10)


def test_rounds_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        ratio([1, 2], [1])


def test_no_rounds_are_no_ratio() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        Ratio.over([])


def test_everyone_takes_a_turn_at_each_visit_of_each_round() -> None:
    calls: list[str] = []

    def called(name: str) -> float:
        calls.append(name)
        return len(calls)

    figures = in_turn({name: lambda name=name: called(name) for name in "abc"}, rounds=4, visits=3)
    turns = ["".join(calls[at : at + 3]) for at in range(0, 36, 3)]
    assert {"".join(sorted(turn)) for turn in turns} == {"abc"}
    assert len(set(turns)) > 1  # nobody always comes after the same one
    for name in "abc":
        visits = [number + 1 for number, called in enumerate(calls) if called == name]
        assert figures[name] == [sorted(visits[at : at + 3])[1] for at in range(0, 12, 3)]


@pytest.mark.parametrize(("share", "figure"), [(0, 1), (0.5, 500), (0.999, 999), (0.9991, 1000), (1, 1000)])
def test_a_percentile_is_the_least_figure_that_so_many_do_not_exceed(share: float, figure: int) -> None:
    assert percentile(list(range(1000, 0, -1)), share) == figure


# Pages and subjects


def test_the_mixed_corpus_has_its_shares() -> None:
    pages = mixed(2048)
    assert {len(page) for page in pages} == {PAGE}
    assert pages.count(bytes(PAGE)) / 2048 == pytest.approx(SHARES["zero"] / 100, abs=0.03)
    assert sum(SHARES.values()) == 100


@pytest.mark.parametrize("kind", SHARES)
def test_each_kind_has_pages(kind: str) -> None:
    pages = of_kind(kind, 32)
    assert [len(page) for page in pages] == [PAGE] * 32


class Forgetful(PlainDict):
    """Loses one page of many."""

    def store(self, key: int, page: bytes) -> None:
        if key % 50:
            super().store(key, page)


def test_a_peer_that_loses_a_page_is_not_measured(tmp_path: Path) -> None:
    subject = Forgetful(tmp_path)
    with pytest.raises(RuntimeError, match="does not give back"):
        prove(Contender("forgetful", subject, subject), mixed(2048)[:64])


def test_operations_that_find_too_little_are_no_figure(tmp_path: Path) -> None:
    subject = Forgetful(tmp_path)
    visitor = operations.Visitor(Contender("forgetful", subject, subject), replace(TINY, chunk=128))
    with pytest.raises(RuntimeError, match="of 128 operations"):
        visitor.frontswap()


def test_a_peer_that_is_not_installed_is_named() -> None:
    with pytest.raises(Missing, match="no-such-server is not installed"):
        Server(["no-such-server"], Path("socket"))


def test_missing_peers_are_kept_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.PEERS", {"ghost": "no_such_module:Ghost"})
    plan = replace(TINY, peers=("ghost",), missing={})
    with contenders(plan) as ready:
        assert [contender.name for contender in ready] == ["pure"]
    assert plan.missing == {"ghost": "no_such_module is not installed: pip install 'tmem[bench]'"}


# Crowds


def test_a_crowd_counts_what_all_of_them_did() -> None:
    left = {"a": [8, 8, 0], "b": [8, 0]}
    done: list[int] = []

    def work(name: str) -> int:
        some = left[name].pop(0)
        done.append(some)
        return some

    assert rate([lambda: work("a"), lambda: work("b")], seconds=60) > 0
    assert sum(done) == 24


def test_what_a_worker_raises_ends_the_measurement() -> None:
    def fail() -> int:
        raise KeyError("gone")

    with busy_thread(), pytest.raises(KeyError):
        rate([fail], seconds=60)


# Experiments, a small slice of each


def test_every_operation_is_measured_for_the_store_and_for_peers_that_have_it() -> None:
    found = dict(operations.measure(replace(TINY, missing={})))
    assert set(found) == set(operations.OPERATIONS)
    for operation, times in found.items():
        assert "pure" in times
        assert {len(seconds) for seconds in times.values()} == {TINY.rounds}
        assert min(min(seconds) for seconds in times.values()) > 0
        assert (LIMIT in times) == (operation in ("put", "get hit"))


def test_threads_are_measured_alone_and_beside_a_busy_one() -> None:
    found = dict(threads.measure(replace(TINY, peers=(), missing={})))
    assert len(found) == 2 * len(TINY.threads) * 2
    assert all(times["pure"][0] > 0 for times in found.values())


def test_a_fill_is_measured_at_each_level_and_its_pools_are_destroyed() -> None:
    found = scale.fill("pure", [128, 256], chunk=32)
    assert set(found[scale.COST]) == {"128", "256"}
    assert [len(found[key]) for key in (scale.WAIT, scale.AT_REST, scale.TAIL)] == [2, 2, 2]


def test_memory_is_counted_against_the_payload() -> None:
    found = sizes.fill("pure", 500)
    pages = Plan().pages
    assert found[sizes.PAYLOAD] == sum(sizes.data_size(page) for page in pages[:500])
    assert found[sizes.ACCOUNT] > found[sizes.PAYLOAD]


def test_churn_knows_what_is_held_at_its_end() -> None:
    found = sizes.churn("pure", 400)
    assert found[sizes.ACCOUNT] > found[sizes.PAYLOAD] > 0


def test_holds_of_the_reclaimer_are_those_of_the_wrapped_locks() -> None:
    assert holds.reclaim_all("pure", 2_000)[holds.LONGEST] > 0


def test_locks_that_cannot_be_wrapped_are_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds.TimedLock, "release", lambda self: self._lock.release())
    with pytest.raises(RuntimeError, match="other locks"):
        holds.reclaim_all("pure", 2_000)


def test_puts_under_pressure_reclaim_just_where_there_is_a_budget() -> None:
    found = pressure.under_pressure("pure", count=500, rounds=1)
    assert set(found) == set(pressure.SETTINGS)


# Rows and the document


def measured(put: float, variant: str = "pure") -> dict[str, Any]:
    return {"operations": {"put": {LIMIT: [8.0, 8.0], "dict + lz4 + lock": [9.0, 9.0], variant: [put, put]}}}


def goal(key: str) -> Goal:
    return next(goal for goal in GOALS if goal.key == key)


@pytest.mark.parametrize(("seconds", "reached"), [(9.0, True), (9.41, True), (9.42, False), (20.0, False)])
def test_a_row_is_reached_from_its_target_on(seconds: float, reached: bool) -> None:
    row = next(rows(measured(seconds), ["pure"]))
    assert row.goal is goal("put")
    assert row.measured is not None
    assert row.measured.median == 8.0 / seconds
    assert row.reached is reached


def test_a_compiled_variant_has_targets_of_its_own() -> None:
    assert next(rows(measured(9.0), ["pure"])).reached is True
    assert next(rows(measured(9.0, "compiled"), ["compiled"])).reached is False


def test_what_is_not_measured_is_not_there_yet_and_not_reached() -> None:
    assert {row.reached for row in rows({}, ["pure"])} == {None}
    assert len(list(rows({}, list(VARIANTS)))) == sum(len(goal.variants) for goal in GOALS)


def test_an_account_may_be_off_to_both_sides() -> None:
    assert goal("account").reached(-4.9, "pure")
    assert not goal("account").reached(-5.1, "pure")


def test_every_key_is_one_goal() -> None:
    assert len({goal.key for goal in GOALS}) == len(GOALS)


def test_an_experiment_that_is_measured_again_replaces_its_pieces_only(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    first = Results(path)
    for experiment in ("operations", "kinds"):
        first.begin(experiment)
        first.add(experiment, "old", {"pure": [1.23456789]})
        first.save(experiment, TINY)
    again = Results(path)
    again.begin("kinds")
    again.add("kinds", "new", {})
    again.save("kinds", TINY)
    data = json.loads(path.read_text())
    assert data["measured"] == {"operations": {"old": {"pure": [1.235]}}, "kinds": {"new": {}}}


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(plan: Plan) -> Iterator[tuple[str, Any]]:
        yield "put", {"pure": [1.0]}
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "EXPERIMENTS", {"operations": interrupted, "kinds": interrupted})
    results = Results(tmp_path / "bench.json")
    assert command.measure(TINY, ("operations", "kinds"), results) == 130
    assert Results(tmp_path / "bench.json").measured == {"operations": {"put": {"pure": [1.0]}}}


def test_an_experiment_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(plan: Plan) -> Iterator[tuple[str, Any]]:
        yield "put", {"pure": [1.0]}
        raise RuntimeError("a page was lost")

    monkeypatch.setattr(command, "EXPERIMENTS", {"operations": fails, "kinds": fails})
    results = Results(tmp_path / "bench.json")
    assert command.measure(TINY, ("operations", "kinds"), results) == 1
    assert {name: run["missing"] for name, run in results.runs.items()} == {
        "operations": {"operations": "a page was lost"},
        "kinds": {"kinds": "a page was lost"},
    }


def test_the_document_is_what_the_results_say() -> None:
    drawn = [plot.stem for plot in sorted((DOCS / "plots").glob("*.svg"))]
    results = Results(DOCS / "results" / "bench.json")
    text = (DOCS / DOCUMENT).read_text()
    assert sorted(drawn) == sorted(name for name in drawn if f"plots/{name}.svg" in text)
    assert text == render(results, drawn)
    assert set(results.runs) == set(command.EXPERIMENTS)


def test_every_goal_is_in_the_document_for_every_variant() -> None:
    text = (DOCS / DOCUMENT).read_text()
    for row in rows({}, list(VARIANTS)):
        assert any(
            line.startswith(f"| {row.goal.what} |") and f"| {row.variant} |" in line
            for line in text.splitlines()
        )


def test_a_figure_changed_by_hand_shows() -> None:
    results = Results(DOCS / "results" / "bench.json")
    results.measured["operations"]["put"]["pure"] = [
        1.0 for _ in results.measured["operations"]["put"]["pure"]
    ]
    drawn = [plot.stem for plot in sorted((DOCS / "plots").glob("*.svg"))]
    assert (DOCS / DOCUMENT).read_text() != render(results, drawn)


def test_stores_are_contenders_with_two_pools() -> None:
    contender = stores.contender("pure", VARIANTS["pure"])
    prove(contender, mixed(2048)[:8])
    assert contender.swap is not contender.cache
    contender.close()
