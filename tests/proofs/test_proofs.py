"""The theorems: that they are what docs/proofs.md lists, and that nothing less passes for proved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from proofs import THEOREMS, Theorem, check, index, report
from proofs.theorem import theorem
from tests.proofs import not_theorems
from tmem.spec.clauses import CLAUSES

ROOT = Path(__file__).parents[2]
NOT_OF_SLOTS = {"TMEM-POOL-4", "TMEM-POOL-5", "TMEM-CONC-1", "TMEM-CONC-2", "TMEM-CONC-3"}
"""Clauses about flags, buffers, threads and types: no theorem of slots and stores can speak of them."""


def run(*arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-m", "proofs", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_every_clause_of_slots_and_stores_has_a_theorem() -> None:
    assert set(index()) == set(CLAUSES) - NOT_OF_SLOTS


@pytest.mark.parametrize("entry", THEOREMS.values(), ids=lambda entry: entry.name)
def test_a_theorem_states_something_of_a_clause(entry: Theorem) -> None:
    assert entry.statement.endswith(".")
    assert entry.clauses
    assert set(entry.clauses) <= set(CLAUSES)


def test_two_theorems_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="two theorems"):
        theorem("TMEM-PUT-1")(THEOREMS["a_failed_put_leaves_nothing"].function)


def test_the_page_lists_exactly_the_theorems_there_are() -> None:
    written = (ROOT / "docs" / "proofs.md").read_text()
    assert written == report.markdown(THEOREMS, CLAUSES), "run: python -m proofs --markdown docs/proofs.md"


def test_a_theorem_is_proved_and_its_witness_refuted() -> None:
    result = check.prove(THEOREMS["an_exclusive_hit_removes_the_page"])
    assert result.proved
    assert (result.theorem.verdict, result.witness.verdict) == (check.CONFIRMED, check.REFUTED)
    assert "which returns True" in result.witness.detail


def test_a_false_theorem_is_refuted() -> None:
    result = check.prove(Theorem(not_theorems.false, ()))
    assert (result.theorem.verdict, result.proved) == (check.REFUTED, False)
    assert "Kind(" in result.theorem.detail


def test_an_empty_premise_is_confirmed_and_yet_not_proved() -> None:
    result = check.prove(Theorem(not_theorems.of_nothing, ()))
    assert (result.theorem.verdict, result.proved) == (check.CONFIRMED, False)
    assert result.witness.verdict == check.CONFIRMED
    problems = report.failures({result.name: Theorem(not_theorems.of_nothing, ())}, {result.name: result})
    assert problems == ["of_nothing: its interesting case is never reached: confirmed"]


def test_a_theorem_that_was_only_searched_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "CPU_SECONDS", 0.5)
    result = check.prove(Theorem(not_theorems.without_end, ()))
    assert (result.theorem.verdict, result.proved) == (check.UNDECIDED, False)


def test_a_theorem_that_vanished_and_one_that_nobody_asked_for_are_failures() -> None:
    asked = {"asked": Theorem(not_theorems.false, ("TMEM-PUT-1",))}
    proved = check.Result("other", check.Outcome(check.CONFIRMED), check.Outcome(check.REFUTED), 0.1)
    assert report.failures(asked, {"other": proved}) == [
        "other: no such theorem was asked for",
        "asked: no result",
    ]
    assert report.table(asked, {}).row_count == 1


def test_the_command_proves_what_it_is_asked_and_writes_json(tmp_path: Path) -> None:
    results = tmp_path / "proofs.json"
    done = run("a_flush_leaves_nothing", "--json", str(results))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 theorems proved" in done.stdout
    (row,) = json.loads(results.read_text())["theorems"]
    assert (row["name"], row["theorem"], row["witness"]) == ("a_flush_leaves_nothing", "confirmed", "refuted")


def test_an_unknown_theorem_is_wrong_usage() -> None:
    done = run("every_cache_is_fast")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no every_cache_is_fast" in done.stderr


def test_without_assertions_nothing_is_proved() -> None:
    done = run("a_flush_leaves_nothing", flags=("-O",))
    assert done.returncode == 2
    assert "run without -O" in done.stderr


def test_a_broken_specification_fails_the_command(tmp_path: Path) -> None:
    from tests.support.seeded import BUGS, broken_spec

    bug = BUGS["an exclusive hit keeps the page"]
    done = subprocess.run(
        [sys.executable, "-m", "proofs", bug.refutes],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(broken_spec(tmp_path, bug))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{bug.refutes}: refuted" in done.stdout
