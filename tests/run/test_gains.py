"""What heuristics gain: each can be left out, the methods notice what they should, the table counts right."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest

from tmem.conformance.calibration import methods
from tmem.conformance.calibration.gains import (
    HEURISTICS,
    IN_VOLUME,
    METHODS,
    OVERLAPPING,
    Noticed,
    gains,
    look,
    sought,
)
from tmem.conformance.calibration.gains_table import markdown
from tmem.conformance.engines.thread_load import Crowd
from tmem.conformance.faults import FAULTS
from tmem.conformance.programs.program import HEADER, REPEATS, USED, Code, Heuristics, Program, decode


def drawn(using: Heuristics) -> list[Program]:
    draw = random.Random(1)
    data = [draw.randbytes(HEADER + 100) for _ in range(60)]
    data += [each[: HEADER - 1] + bytes([REPEATS]) + each[HEADER:] for each in data[:10]]
    return [decode(each, 256, using) for each in data]


def without(name: str) -> tuple[list[Program], list[Program]]:
    return drawn(USED), drawn(replace(USED, **{name: False}))


def slots(program: Program) -> set[tuple[int, int]]:
    return {(step.oid_row, step.index_row) for step in program.steps if step.code < Code.NEW_POOL}


def pages(program: Program) -> list[int]:
    return [step.argument for step in program.steps if step.code == Code.PUT]


def test_runs_use_every_heuristic() -> None:
    assert all(getattr(USED, each.name) for each in fields(USED))


def test_plain_handles() -> None:
    with_, off = without("awkward")
    assert all(max(each.universe.oids + each.universe.indexes) < 16 for each in off)
    assert len({each.universe for each in with_}) > 50
    assert [each.steps for each in with_] == [each.steps for each in off]


def test_nine_slots() -> None:
    with_, off = without("few")
    assert max(len(slots(each)) for each in off) == 9
    few = [len(slots(each)) for each in with_ if max(map(len, each.universe)) < 16]
    assert sum(few) * 1.5 < sum(len(slots(each)) for each in off)


def test_no_page_twice() -> None:
    with_, off = without("repeats")
    assert all(len(set(pages(each))) == len(pages(each)) for each in off)
    assert any(len(set(pages(each))) == 2 < len(pages(each)) for each in with_)


def test_handles_that_are_confused_are_found_by_awkward_ones_only() -> None:
    assert METHODS["as in runs"]("impl", "index-8-bits", 0) is not None
    assert METHODS["plain handles"]("impl", "index-8-bits", 0) is None


@pytest.mark.parametrize("method", IN_VOLUME)
def test_every_method_without_overlap_notices_a_fault(method: str) -> None:
    noticed = look("impl", method, "hit-not-exclusive", 0)
    assert noticed.operations is not None
    assert noticed.operations < methods.LIMIT


@pytest.mark.parametrize("method", OVERLAPPING)
def test_every_method_with_overlap_notices_a_race(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "torn-page-unlocked-read"
    if method == "threads":  # needs a fault that does not depend on timing
        wrap = FAULTS["hit-not-exclusive"].wrap
        monkeypatch.setitem(FAULTS, fault, replace(FAULTS[fault], wrap=wrap))
    assert look("impl", method, fault, 0).operations is not None


class Hung(Crowd):
    """Threads that make no progress."""

    def wait(self, seconds: float) -> bool:
        return False

    def done(self) -> int:
        return 7


def test_threads_that_hang_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "STALLED", 0.1)
    monkeypatch.setattr(methods, "Crowd", Hung)
    assert methods.by_threads("impl", "locks-in-both-orders", 0) == methods.CROWD


def test_each_heuristic_is_measured_with_and_without() -> None:
    for heuristic in HEURISTICS:
        assert heuristic.on != heuristic.off
        assert sought(heuristic.on) == sought(heuristic.off)
    assert len(sought("as in runs")) > 200


def test_what_the_table_says() -> None:
    found = {
        ("as in runs", "a", 0): 500,
        ("as in runs", "a", 1): 900,
        ("as in runs", "b", 0): 5_000,
        ("as in runs", "b", 1): None,
        ("nine slots", "a", 0): None,
        ("nine slots", "a", 1): None,
        ("nine slots", "b", 0): 5_000,
        ("nine slots", "b", 1): 12_345,
    }
    rows = gains(Noticed(*run, operations) for run, operations in found.items())
    (row,) = rows
    assert row["heuristic"] == "few slots"
    assert (row["with"], row["without"]) == ([2, 3, 3], [0, 1, 2])
    assert row["won"] == [[1, 1], [1, 1], [0, 1]]
    assert row["only"] == ["a"]
    assert row["sooner"] == round((20 * 10_000 / 900) ** 0.25, 2)
    row_text = "| few slots | Most programs use one to six slots, not nine. | 4 | 2 / 0 (+1 to +1) |"
    assert row_text in markdown("impl", 2, rows)
