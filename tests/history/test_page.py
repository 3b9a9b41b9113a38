"""docs/histories.md: its examples run, its traces are read, and its figures are those that were recorded."""

from __future__ import annotations

import json
import re
from doctest import DocTestParser, DocTestRunner

import pytest

from bench import history, history_agreement
from bench.histories_large import large
from tmem.conformance.history.trace import format as trace
from tmem.spec.operations import SIGNATURES

TEXT = history.PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> str:
    return "".join(re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL))


def test_the_examples_run() -> None:
    found = DocTestRunner().run(DocTestParser().get_doctest(blocks("python"), {}, history.PAGE.name, None, 0))
    assert found.attempted > 5
    assert found.failed == 0


def test_the_traces_are_read() -> None:
    assert len(list(trace.read(blocks("json").splitlines()))) == 3


def test_the_table_has_every_field() -> None:
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))))
    assert documented == {*trace.EVERY, *(name for each in SIGNATURES.values() for name in each.arguments)}
    assert all(f"`{op}`" in TEXT for op in SIGNATURES)


@pytest.mark.skipif(not history.RESULTS.exists(), reason="no figures are recorded")
def test_the_figures_are_those_that_were_recorded() -> None:
    between = TEXT.split(history.BEGIN)[1].split(history.END)[0].strip()
    assert between == "\n".join(history.figures_of(json.loads(history.RESULTS.read_text(encoding="utf-8"))))


def test_the_comparison_was_of_a_million_histories() -> None:
    kept = json.loads(history_agreement.RESULTS.read_text(encoding="utf-8"))
    assert kept["histories"] == sum(kept[answer] for answer in ("legal", "illegal", "unknown")) >= 1_000_000
    assert kept["disagreements"] == 0
    assert kept["illegal"] >= 0.05 * kept["histories"]


def test_the_bare_loop_looks_at_every_call() -> None:
    assert history.bare_loop(large(1_000, 5, 10, 0)) == 5
