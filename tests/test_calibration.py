"""Calibration: a slice of both tables, and that each clause is killed by faults of its own."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tmem.conformance.calibration import run
from tmem.conformance.calibration.accept import Accepted, accept, overlapping
from tmem.conformance.calibration.kill import Kill, kill
from tmem.conformance.calibration.tables import breadth, kill_table, markdown, summary, worst
from tmem.conformance.calibration.work import work
from tmem.conformance.conforming import Composed
from tmem.conformance.faults import FAULTS
from tmem.model import Adversary
from tmem.spec.clauses import CLAUSES

RESULTS = Path(__file__).parents[1] / "docs" / "results"
SLICE = sorted(name for name, fault in FAULTS.items() if fault.kind not in ("liveness", "races", "claims"))


@pytest.mark.parametrize("fault", SLICE[::12])
def test_a_slice_of_the_kill_table(fault: str) -> None:
    assert kill("impl", fault, seed=11).killed


@pytest.mark.parametrize("seed", range(20))
def test_a_hundredth_of_the_accept_table(seed: int) -> None:
    accepted = accept(seed, 50_000)
    assert accepted.operations >= 50_000
    assert accepted.alarms == ()


@pytest.mark.parametrize(("seed", "serves"), [(19, "Locked"), (22, "Background")])
def test_operations_overlap_where_the_backend_serves_threads(seed: int, serves: str) -> None:
    threads = threading.active_count()
    accepted = accept(seed, 100)
    assert threading.active_count() == threads, "a reclaimer goes on and takes the time of what follows"
    assert serves in accepted.choices
    assert accepted.operations > 3_000
    assert accepted.alarms == ()


def test_an_alarm_of_overlapping_operations_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(seed: int) -> Composed:
        return Composed(FAULTS["hit-not-exclusive"].wrap(Adversary("keep")), [])

    alarms: list[str] = []
    monkeypatch.setattr("tmem.conformance.calibration.accept.compose", doubled)
    assert overlapping(0, "Background", alarms) > 1_000
    assert len(alarms) == 1


def test_each_clause_has_a_fault_that_only_its_checks_kill() -> None:
    recorded = json.loads((RESULTS / "kill.json").read_text("utf-8"))
    assert set(recorded["clauses"]) == {clause.id for clause in CLAUSES.values() if not clause.implied}
    assert not [clause for clause, row in recorded["clauses"].items() if not row["only"]]
    assert all(row["killed"] == row["seeds"] for row in recorded["faults"].values())


@pytest.mark.parametrize(
    ("fault", "clause"), [("double-exclusive-get", "TMEM-CONC-1"), ("flush-object-twice", "TMEM-CONC-2")]
)
def test_only_the_checks_of_overlapping_operations_kill_a_race(fault: str, clause: str) -> None:
    killed = kill("impl", fault, 0)
    assert killed.overlap == clause
    assert clause in FAULTS[fault].clauses
    assert breadth([killed])[clause]["only"] == [fault]
    assert killed.clause != clause
    assert breadth([killed])[killed.clause] == {"faults": [fault], "only": []}


def test_what_is_noticed_without_overlap_is_not_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    here = FAULTS["double-exclusive-get"]
    wrong = replace(here, wrap=FAULTS["hit-not-exclusive"].wrap)
    monkeypatch.setitem(FAULTS, "double-exclusive-get", wrong)
    assert kill("impl", "double-exclusive-get", 0).overlap == ""


def test_only_what_is_asked_for_is_shrunk() -> None:
    fast, small = kill("impl", "put-answers-one", 1, small=False), kill("impl", "put-answers-one", 1)
    assert (fast.steps, small.steps > 0) == (0, True)
    assert (fast.clause, fast.operations) == (small.clause, small.operations)


def _kills() -> list[Kill]:
    first, second = SLICE[:2]
    clause = FAULTS[first].clauses[0]
    return [
        Kill(first, 0, clause, 100, 0, 0.1, 3),
        Kill(first, 1, clause, 300, 0, 0.3, 5),
        Kill(second, 0, "", 9_000, 0, 2.0, 0),
    ]


def test_what_the_table_says() -> None:
    table = kill_table(_kills())
    first, second = SLICE[:2]
    assert table[first]["operations"] == [200, 300]
    assert (table[first]["killed"], table[second]["killed"]) == (2, 0)
    assert worst(table) == {first: 300}
    assert breadth(_kills())[FAULTS[first].clauses[0]]["only"] == [first]
    page = markdown({"target": "impl", "faults": table, "clauses": breadth(_kills())}, summary([]))
    assert f"| {first} |" in page
    assert "accepts" not in page
    alarmed = [Accepted(0, "keep", 700, ("one", "two")), Accepted(1, "keep", 800, ())]
    page = markdown({"target": "impl", "faults": table, "clauses": breadth(_kills())}, summary(alarmed))
    assert "2 randomly composed backends that conform, 1,500 operations in all: 2 false alarms." in page


def test_the_page_is_what_is_recorded() -> None:
    page = (RESULTS.parent / "calibration.md").read_text("utf-8")
    assert page == run.text(RESULTS), "it is written by tmem calibrate, with the JSON files beside it"


def _one() -> dict[str, object]:
    return {"n": 1}


def test_work_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    assert dict(work({"a": _one}, path, workers=1)) == {"a": {"n": 1}}
    with path.open("a") as file:
        file.write('{"key": "b", "resu')  # cut short
    path.write_text(path.read_text().replace('"n": 1', '"n": 7') + "\n")
    assert dict(work({"a": _one, "b": _one}, path, workers=1)) == {"a": {"n": 7}, "b": {"n": 1}}
