"""`tmem explain`: all of a clause, in the width of the terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from tests.run.test_cli import Run, run, words
from tmem.conformance.cli import explain
from tmem.conformance.report import terminal
from tmem.spec.clauses import CLAIMS, CLAUSES, SOURCES
from tmem.spec.definitions import DEFINITIONS
from tmem.spec.freedoms import FREEDOMS, Freedom
from tmem.spec.table import lines

__all__ = ["run"]


@pytest.mark.parametrize("clause", [*CLAUSES, *CLAIMS])
def test_explain_shows_all_of_a_clause(run: Run, clause: str) -> None:
    result = run("explain", clause.lower())
    assert result.exit_code == 0
    known = {**CLAUSES, **CLAIMS}[clause]
    shown = words(result)
    assert known.sentence in shown
    assert all(SOURCES[source] in shown for source in known.sources)
    assert known.place in shown
    assert " ".join(known.example.splitlines()[0].split())[:60] in shown
    assert f"def {known.decide.__name__}(" in shown
    assert ("follows from other clauses" in shown) == known.implied


@pytest.mark.parametrize("is_terminal", [False, True])
def test_explain_wraps_prose_and_never_code(is_terminal: bool) -> None:
    for clause in (*CLAUSES.values(), *CLAIMS.values()):
        console = Console(file=StringIO(), width=60, force_terminal=is_terminal, no_color=True)
        terminal.show(console, explain.explain(clause.id))
        assert isinstance(console.file, StringIO)
        lines = [line.rstrip() for line in Text.from_ansi(console.file.getvalue()).plain.splitlines()]
        code = [*clause.definition.splitlines(), *clause.example.splitlines()]
        kept = [f"  {line}".rstrip() for line in code]
        assert [line for line in kept if line not in lines] == []
        assert [line for line in lines if len(line) > 60 and line not in kept] == []


def test_explain_lists_every_clause_and_claim(run: Run) -> None:
    shown = words(run("explain"))
    for clause in (*CLAUSES.values(), *CLAIMS.values()):
        assert f"{clause.id} {clause.sentence}" in shown


@pytest.mark.parametrize("short", ["PUT-3", "put-3", "Tmem-Put-3", "TMEM-PUT-3"])
def test_explain_takes_short_forms(run: Run, short: str) -> None:
    assert run("explain", short).output.startswith("TMEM-PUT-3\n")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("PUT-33", "PUT-3"), ("TMEM-GTE-1", "GET-1"), ("retian", "retain"), ("x", "lists them")],
)
def test_explain_suggests_the_nearest_name(run: Run, wrong: str, near: str) -> None:
    result = run("explain", wrong)
    assert result.exit_code == 2
    assert near in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("freedom", FREEDOMS.values(), ids=lambda freedom: freedom.id)
def test_explain_shows_a_freedom_and_what_it_permits(run: Run, freedom: Freedom) -> None:
    shown = words(run("explain", freedom.id.lower()))
    assert freedom.sentence in shown
    assert shown.count("Permitted") == len(freedom.shown)


def test_calls_that_overlap_have_their_times(run: Run) -> None:
    assert "2 to … client 1: put ⟨0, 7, 3⟩ page A never returns" in words(run("explain", "may-15"))
    assert "4 to 11 client 1: flush object ⟨0, 7⟩ → True" in words(run("explain", "may-14"))


def test_explain_shows_the_words_and_the_table(run: Run) -> None:
    shown = words(run("explain", "definitions"))
    assert all(f"{word} {meaning}" in shown for word, meaning in DEFINITIONS.items())
    shown = words(run("explain", "Table"))
    assert all(f"{line.meaning}. Afterwards: {line.afterwards}." in shown for line in lines())
    assert "put: dead pool False, ENODEV: there is no pool." in shown
