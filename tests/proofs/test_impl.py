"""The contracts on the store: that they bite, that nothing less passes, and that the page is of this code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from crosshair.util import CrossHairInternal

import tmem.impl
from proofs.check import CONFIRMED, REFUTED, UNDECIDED, Outcome, decide
from proofs.impl import bugs, check, contract, report
from proofs.impl.__main__ import PAGE, RESULTS
from proofs.impl.bugs import BUGS, Seeded
from proofs.impl.check import Finding, Trial
from proofs.impl.contract import CONTRACTS
from proofs.impl.copy import Bug, Lock, copied, point
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.symbolic import quietly
from proofs.theorem import Theorem
from tests.proofs import not_theorems
from tmem.conformance.loader import LoadError
from tmem.spec.clauses import CLAUSES

ROOT = Path(__file__).parents[2]
SLICE = ("reclaim_takes_the_oldest_and_no_more", "busy_pools_are_passed_over_and_keep_their_place")
"""Contracts that take a second; `make prove-impl` decides all."""


def run(*arguments: str, flags: tuple[str, ...] = (), path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-m", "proofs.impl", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("entry", CONTRACTS.values(), ids=lambda entry: entry.name)
def test_a_contract_states_something_of_a_clause_and_has_a_bug(entry: Theorem) -> None:
    assert entry.statement.endswith(".")
    assert entry.clauses
    assert set(entry.clauses) <= set(CLAUSES)
    assert any(seeded.refutes == entry.name for seeded in BUGS.values())


def test_every_bug_names_a_contract() -> None:
    assert {seeded.refutes for seeded in BUGS.values()} <= set(CONTRACTS)


@pytest.mark.parametrize("name", BUGS)
def test_the_code_that_a_bug_breaks_is_there(name: str) -> None:
    assert copied(BUGS[name].bug).store.__module__ == "tmem.impl.store"


def test_a_bug_in_code_that_is_no_more_says_so() -> None:
    with pytest.raises(LoadError, match="'no such line' occurs 0 times"):
        copied(Bug("store", "no such line", ""))


@pytest.mark.parametrize("trial", check.trials(SLICE), ids=lambda trial: trial.bug or trial.contract)
def test_a_contract_is_confirmed_and_its_bugs_refute_it(trial: Trial) -> None:
    found = check.run(trial)
    assert found.problem is None
    assert found.outcome.verdict == (CONFIRMED if trial.bug is None else REFUTED)
    assert found.outcome.paths > (100 if trial.bug is None else 0)


def test_a_bug_that_changes_nothing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    same = Bug("reclaim", "in reversed(passed)", "in reversed(passed)")
    monkeypatch.setitem(bugs.BUGS, "nothing changes", Seeded(SLICE[1], same))
    found = check.run(Trial(SLICE[1], "nothing changes"))
    assert found.problem == "the bug that nothing changes: confirmed: "


def test_a_bug_that_only_crashes_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    crash = Bug("reclaim", "in reversed(passed)", "in 1 // 0")
    monkeypatch.setitem(bugs.BUGS, "all crashes", Seeded(SLICE[1], crash))
    found = check.run(Trial(SLICE[1], "all crashes"))
    assert found.problem is not None
    assert "ZeroDivisionError" in found.problem


def test_a_contract_of_nothing_and_one_that_is_false_are_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(contract.CONTRACTS, "of_nothing", Theorem(not_theorems.of_nothing, ()))
    monkeypatch.setitem(contract.CONTRACTS, "false", Theorem(not_theorems.false, ()))
    assert check.run(Trial("of_nothing")).problem == "its interesting case is never reached"
    assert (check.run(Trial("false")).problem or "").startswith("refuted: AssertionError")


def test_a_contract_that_was_only_searched_must_be_one_of_those(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding(Trial("any"), Outcome(UNDECIDED, "Not confirmed."), Outcome(REFUTED), 1.0)
    assert found.problem == "not confirmed: Not confirmed."
    monkeypatch.setitem(contract.SEARCHED, "any", 1.0)
    assert found.problem is None


def test_what_is_missing_from_a_run_is_a_failure() -> None:
    asked = [Trial("without a bug"), Trial("with", "a bug"), Trial("with")]
    assert report.failures(asked, {}) == [
        "without a bug: no result",
        "with: no result",
        "with: no result",
        "without a bug: no bug refutes it",
    ]


def test_code_under_proof_cannot_look_into_a_page_unseen() -> None:
    def looked(page: int) -> bool:
        with quietly():
            return page == 7

    with pytest.raises(CrossHairInternal, match="while not tracing"):
        decide(Theorem(looked, ()), 5.0)


def test_every_point_is_struck_and_at_last_none() -> None:
    came: list[tuple[int, list[int]]] = []

    @at_every_point
    def contract_of(at: Moment, points: int) -> bool:
        before: list[int] = []

        def operation() -> None:
            for number in range(points):
                before.append(number)
                point()

        def strike() -> None:
            came.append((at.number, before[:]))

        other = Interruption(at, lambda: True, strike)
        interrupted(other, operation)
        return other.done and at.number == 7

    assert contract_of(points=20)
    assert came == [(at, list(range(at + 1))) for at in range(20)]
    assert not contract_of(7)


def test_points_at_which_nothing_is_possible_do_not_count() -> None:
    locks = iter([True, False, True, False, True])
    other = Interruption(Moment(1), lambda: next(locks), lambda: None)
    interrupted(other, lambda: [point() for _ in range(3)])
    assert other.done
    assert list(locks) == [False, True]


def test_the_failure_of_a_contract_says_where_it_was_struck() -> None:
    @at_every_point
    def fails(at: Moment) -> bool:
        at.came = at.number < 5
        if at.number == 3:
            raise AssertionError("it fails")
        return False

    with pytest.raises(AssertionError, match="it fails, struck at point 3"):
        fails()


def test_an_operation_without_end_is_a_failure() -> None:
    @at_every_point
    def goes_on(at: Moment) -> bool:
        at.came = True
        return True

    with pytest.raises(AssertionError, match="does not end"):
        goes_on()


def test_a_lock_that_is_taken_twice_is_a_deadlock() -> None:
    lock = Lock()
    with lock, pytest.raises(AssertionError, match="deadlock"):
        lock.acquire()
    assert not lock.locked()


def test_the_page_is_of_the_results_and_these_of_the_contracts_there_are() -> None:
    recorded: report.Data = json.loads(RESULTS.read_text())
    rows = recorded["contracts"]
    again = "run: make prove-impl ARGS=--record"
    assert PAGE.read_text() == report.page(recorded), again
    assert [(row["name"], row["statement"]) for row in rows] == [
        (name, entry.statement) for name, entry in CONTRACTS.items()
    ], again
    assert {(bug["bug"], row["name"]) for row in rows for bug in row["bugs"]} == {
        (bug, seeded.refutes) for bug, seeded in BUGS.items()
    }, again
    assert sum(row["verdict"] == CONFIRMED for row in rows) >= 12
    assert all(row["verdict"] == CONFIRMED or row["searched"] for row in rows)
    assert all(bug["verdict"] == REFUTED for row in rows for bug in row["bugs"])


def test_a_broken_store_fails_the_command(tmp_path: Path) -> None:
    name, seeded = next(entry for entry in BUGS.items() if entry[1].refutes == SLICE[0])
    (source,) = {Path(folder) for folder in tmem.impl.__path__}
    broken = tmp_path / "tmem" / "impl"
    shutil.copytree(source, broken, ignore=shutil.ignore_patterns("__pycache__"))
    file = broken / f"{seeded.bug.module}.py"
    file.write_text(file.read_text().replace(seeded.bug.right, seeded.bug.wrong))
    done = run(SLICE[0], path=str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{SLICE[0]}: refuted: AssertionError" in done.stdout
    assert f"the bug that {name}: not confirmed" in done.stdout  # it is there already


def test_what_the_command_does_not_take() -> None:
    assert "there is no every_cache_is_fast" in run("every_cache_is_fast").stderr
    assert "name none" in run(SLICE[0], "--record").stderr
    assert "run without -O" in run(SLICE[0], flags=("-O",)).stderr
