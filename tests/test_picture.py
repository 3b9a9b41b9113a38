"""Golden pictures: what a failing schedule looks like, for a race of each shape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.races import RACES, STORE
from tmem.conformance.picture import Row, columns
from tmem.conformance.schedules.explore import open_subject, replay

PICTURES = Path(__file__).with_name("pictures")
NAMES = [
    "check-then-act",
    "copy-on-write lost put",
    "double exclusive get",
    "lock order",
    "put against destroy",
    "reclaim against duplicate put",
    "torn page",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_failing_schedule_looks_like_this(name: str) -> None:
    file = PICTURES / name.replace(" ", "-")
    subject = open_subject(STORE, "factory", rewrite={"store": RACES[name].rewrite})
    found = replay(subject, json.loads(file.with_suffix(".json").read_text()))
    assert found is not None
    assert found.picture == file.with_suffix(".txt").read_text()


def test_long_texts_go_on_in_their_column() -> None:
    rows = [
        Row(0, "┌", "put ⟨0, 0x1:0:7, 64⟩ a page of a very long kind indeed"),
        Row(1, "┌", "get"),
        Row(0, "└", "an answer that does not fit into the column either"),
    ]
    assert [line.rstrip() for line in columns(rows, {0: "thread 1", 1: "thread 2"})] == [
        "thread 1                                  thread 2",
        "┌ put ⟨0, 0x1:0:7, 64⟩ a page of a very",
        "│   long kind indeed",
        "│                                         ┌ get",
        "│ an answer that does not fit into the    │",
        "└   column either                         │",
    ]
