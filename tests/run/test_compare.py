"""Two targets side by side: the grid of clauses, and where they part."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.run.short_run import SUPPORT, follow
from tmem.conformance.cli.compare import grid
from tmem.conformance.cli.main import main
from tmem.conformance.programs.divergence import Divergence, diverge
from tmem.conformance.programs.pages import corpus
from tmem.conformance.run.compare import divergence
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.targets.resolve import resolve

FAULTY = "py:tmem.conformance.faults.targets:"
SECONDS = 600.0
"""What a search may take where a test does not want it to be cut."""


def parted(one: str, other: str) -> Divergence | None:
    makes = (resolve(one).fresh, resolve(other).fresh)
    return diverge(makes, corpus(4096), 0, 300)


def test_what_both_permit_is_a_divergence_too() -> None:
    found = parted("model:keep", "model:fail-duplicates")
    assert found is not None
    assert len(found.steps) == 2
    assert found.asked.startswith("client 1: put ⟨0, 0, 0⟩ page B")
    assert found.answers == ("True", "False")
    assert found.breaks == ("", "")


def test_the_clause_of_a_wrong_answer_is_named() -> None:
    found = parted("model:keep", f"{FAULTY}flush_page_ignored")
    assert found is not None
    assert found.breaks == ("", "TMEM-FLUSH-1")
    assert found.answers[0] == "nothing"
    assert found.answers[1].startswith("page A")
    assert [step.split()[2] for step in found.steps] == ["new", "put", "flush"]


def test_a_target_does_not_part_from_itself() -> None:
    assert parted("model:keep", "model:keep") is None


def test_the_search_has_a_process_of_its_own() -> None:
    found = divergence("model:keep", "model:refuse-puts", 0, SECONDS)
    assert found is not None
    assert found.answers == ("True", "False")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("model:no-such", "there is no strategy"),
        (f"py:{SUPPORT / 'hostile.py'}:crashes", "ended with code -11"),
    ],
)
def test_a_search_that_fails_says_so_in_one_line(target: str, line: str) -> None:
    with pytest.raises(RunError) as error:
        divergence("model:keep", target, 0, SECONDS)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_search_that_hangs_is_ended() -> None:
    with pytest.raises(RunError, match="did not end within 1 s"):
        divergence("model:keep", f"py:{SUPPORT / 'hostile.py'}:hangs", 0, 1.0)


def test_the_grid_has_a_column_for_each_target() -> None:
    summaries = [follow(target)[1] for target in ("model:keep", f"{FAULTY}flush_page_ignored")]
    console = Console(width=120)
    with console.capture() as capture:
        console.print(grid(summaries))
    rows = {line.split()[0]: line.split()[1:] for line in capture.get().splitlines()}
    assert rows["TMEM-FLUSH-1"] == ["passed", "failed"]
    assert rows["TMEM-PUT-2"] == ["passed", "passed"]
    assert rows["verdict"][1] == "FAIL"


@pytest.mark.parametrize("targets", [["model:keep"], ["model:keep", "model:keep"]])
def test_it_takes_two_targets(targets: list[str]) -> None:
    result = CliRunner().invoke(main, ["compare", *targets])
    assert result.exit_code == 2
    assert "it takes two targets or more, each once" in result.output
