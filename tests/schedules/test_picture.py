"""Golden pictures: what a failing schedule looks like, for a race of each shape."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmem.conformance.schedules.columns import Row, columns
from tmem.conformance.schedules.explore import open_subject, replay
from tools.races import RACES, STORE

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
def test_a_failing_schedule_looks_like_this(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    picture = shown(name)
    assert picture == (PICTURES / name.replace(" ", "-")).with_suffix(".txt").read_text()
    assert max(map(len, picture.splitlines())) <= 80


def shown(name: str) -> str:
    file = PICTURES / name.replace(" ", "-")
    subject = open_subject(STORE, "factory", rewrite={"store": RACES[name].rewrite})
    found = replay(subject, json.loads(file.with_suffix(".json").read_text()))
    assert found is not None
    return found.picture


def test_long_texts_go_on_in_their_column() -> None:
    rows = [
        Row(0, "┌", "put ⟨0, 0x1:0:7, 64⟩ a page of a very long kind indeed"),
        Row(1, "┌", "get"),
        Row(0, "└", "an answer that does not fit into the column either"),
    ]
    assert [line.rstrip() for line in columns(rows, {0: "thread 1", 1: "thread 2"}, 50)] == [
        "thread 1                                  thread 2",
        "┌ put ⟨0, 0x1:0:7, 64⟩ a page of a very",
        "│   long kind indeed",
        "│                                         ┌ get",
        "│ an answer that does not fit into the    │",
        "└   column either                         │",
    ]


ROWS = st.lists(
    st.builds(Row, st.integers(0, 3), st.sampled_from("┌│└"), st.text("⟨⟩ab ,7", min_size=1, max_size=120)),
    max_size=12,
)


@given(ROWS, st.integers(2, 4), st.sampled_from([80, 100, 64]))
def test_columns_keep_to_the_width(rows: list[Row], threads: int, width: int) -> None:
    rows = [row for row in rows if row.thread < threads]
    names = {thread: f"thread {thread + 1}" for thread in range(threads)}
    assert max(map(len, columns(rows, names, width))) <= max(width, threads * 19)


def test_the_terminal_says_how_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for wide in (40, 70, 80, 100, 300):
        monkeypatch.setenv("COLUMNS", str(wide))
        found[wide] = max(map(len, shown("torn page").splitlines()))
    assert found[40] <= 64
    assert found[70] <= 70 < found[100] <= 100
    assert found[300] == found[100], "wider pictures are hard to read"


def test_steps_picture_and_sentence_number_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    file = PICTURES / "double-exclusive-get"
    subject = open_subject(STORE, "factory", rewrite={"store": RACES["double exclusive get"].rewrite})
    found = replay(subject, json.loads(file.with_suffix(".json").read_text()))
    assert found is not None
    for number, step in enumerate(found.steps, 1):
        text = step.partition(": ")[2].partition(" → ")[0]
        assert f"#{number} {text}" in found.picture
    named = [int(each) for each in re.findall(r"#(\d+)", found.message)]
    put, hit = (found.steps[number - 1] for number in named)
    assert "put" in put
    assert "get" in hit
