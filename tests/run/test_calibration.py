"""Calibration: a slice of both tables, and that each clause is killed by faults of its own."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tmem.conformance.calibration import run
from tmem.conformance.calibration.accept import Accepted, accept, overlapping
from tmem.conformance.calibration.accept_table import accept_table
from tmem.conformance.calibration.choose_canaries import Wrapped, worst
from tmem.conformance.calibration.kill import Kill, kill
from tmem.conformance.calibration.kill_table import breadth, kill_table
from tmem.conformance.calibration.page import markdown
from tmem.conformance.calibration.work import work
from tmem.conformance.conforming import Composed
from tmem.conformance.engines.canaries import known_short
from tmem.conformance.faults import FAULTS
from tmem.model import Adversary
from tmem.spec.clauses import CLAUSES

RESULTS = Path(__file__).parents[2] / "docs" / "results"
APART = ("liveness", "races", "claims", "large")
SLICE = sorted(name for name, fault in FAULTS.items() if fault.kind not in APART)


@pytest.mark.parametrize("fault", SLICE[::12])
def test_a_slice_of_the_kill_table(fault: str) -> None:
    assert kill("impl", fault, seed=11).killed


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))])
def test_a_hundredth_of_the_summary(seed: int) -> None:
    accepted = accept(seed, 50_000)
    assert accepted.operations >= 50_000
    assert accepted.alarms == ()
    assert not set(accepted.faults.unnoticed).intersection(known_short()), accepted.choices


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
    ("fault", "clause"),
    [
        ("double-exclusive-get", "TMEM-CONC-1"),
        pytest.param("flush-object-twice", "TMEM-CONC-2", marks=pytest.mark.long),
    ],
)
def test_only_the_checks_of_overlapping_operations_kill_a_race(fault: str, clause: str) -> None:
    killed = kill("impl", fault, 0)
    assert killed.overlap == clause
    assert clause in FAULTS[fault].clauses
    assert breadth([killed])[clause]["only"] == [fault]
    assert killed.clause != clause
    assert breadth([killed])[killed.clause] == {"faults": [fault], "only": []}


def test_a_fault_noticed_without_overlap_is_not_counted_for_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    here = FAULTS["double-exclusive-get"]
    wrong = replace(here, wrap=FAULTS["hit-not-exclusive"].wrap)
    monkeypatch.setitem(FAULTS, "double-exclusive-get", wrong)
    assert kill("impl", "double-exclusive-get", 0).overlap == ""


def test_a_kill_is_shrunk_only_on_request() -> None:
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
    assert worst(table, []) == {first: 300}
    assert worst(table, [Wrapped({first: 700, second: 9}, ())]) == {first: 700}
    assert worst(table, [Wrapped({first: 700}, ()), Wrapped({}, (first,))]) == {}
    assert breadth(_kills())[FAULTS[first].clauses[0]]["only"] == [first]
    page = markdown({"target": "impl", "faults": table, "clauses": breadth(_kills())}, accept_table([]))
    assert f"| {first} |" in page
    assert "accepts" not in page
    assert "Generated by `make calibrate`;" in page, "the results do not tell how they were made"
    faults = (Wrapped({first: 90, second: 10}, ()), Wrapped({second: 20}, (first,)))
    alarmed = [Accepted(0, "keep", 700, ("one", "two"), faults[0]), Accepted(1, "keep", 800, (), faults[1])]
    page = markdown({"target": "impl", "faults": table, "clauses": breadth(_kills())}, accept_table(alarmed))
    assert "2 randomly composed backends that conform, 1,500 operations in all: 2 false alarms." in page
    assert f"| {first} | 1 | 1 |" in page
    assert f"| {second} |" not in page[page.index("accepts") :]
    assert Accepted.from_json(json.loads(json.dumps(asdict(alarmed[1])))) == alarmed[1]


def test_the_page_says_what_command_makes_it(tmp_path: Path) -> None:
    calibration = run.Calibration("model:keep", tuple(FAULTS), 3, 0, 70)
    page = tmp_path / "made" / "page.md"
    written = list(run.write(calibration, run.Outcome(_kills(), []), tmp_path / "results", page, None))
    assert [path.name for path in written] == ["kill.json", "accept.json", "page.md"]
    command = "`tmem calibrate --target model:keep --seeds 3 --backends 0 --operations 70`"
    assert f"Generated by {command}; nothing here is typed." in page.read_text("utf-8")


def test_the_page_is_what_is_recorded() -> None:
    page = (RESULTS.parent / "calibration.md").read_text("utf-8")
    assert page == run.text(RESULTS), "it is written by tmem calibrate, with the JSON files beside it"


def _one() -> dict[str, object]:
    return {"n": 1}


def test_interrupted_work_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "work.jsonl"
    assert dict(work({"a": _one}, path, workers=1)) == {"a": {"n": 1}}
    with path.open("a") as file:
        file.write('{"key": "b", "resu')  # cut short
    path.write_text(path.read_text().replace('"n": 1', '"n": 7') + "\n")
    assert dict(work({"a": _one, "b": _one}, path, workers=1)) == {"a": {"n": 7}, "b": {"n": 1}}
