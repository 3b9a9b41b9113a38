"""Waivers: clauses that may be broken, for a reason, as long as their counterexample still fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.run.test_cli import Run, quick, run, words

__all__ = ["quick", "run"]

CUTS = "py:tmem.conformance.faults.targets:long_page_cut"
"""A target that cuts a page that is too long, and is right in all else, also where calls overlap."""
WAIVER = """
[[waiver]]
clause = "TMEM-ARG-1"
reason = "our callers put whole pages"
counterexample = "{}"
"""


KEPT: dict[str, str] = {}
"""The replay file of the counterexample, from the first run that found it."""


@pytest.fixture
def waivers(quick: Run) -> Path:
    """A file of one waiver, of the one clause that the target breaks."""
    if not KEPT:
        result = quick("check", CUTS, "--json", "first.json")
        assert result.exit_code == 1
        (violation,) = json.loads(Path("first.json").read_text())["violations"]
        assert violation["clause"] == "TMEM-ARG-1"
        KEPT[violation["replay_file"]] = Path(violation["replay_file"]).read_text()
    ((file, replay),) = KEPT.items()
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(replay)
    path = Path("waivers.toml")
    path.write_text(WAIVER.format(file))
    return path


def test_a_waived_clause_fails_no_run_and_is_never_shown_as_passed(run: Run, waivers: Path) -> None:
    reports = ("--json", "r.json", "--junit", "r.xml", "--html", "r.html")
    result = run("check", CUTS, "--waivers", str(waivers), *reports)
    assert result.exit_code == 0, result.output
    assert "no clause was broken, and 1 clause was waived" in words(result)
    assert "TMEM-ARG-1: our callers put whole pages" in words(result)
    assert "broken: " not in result.output
    (row,) = [line for line in result.output.splitlines() if line.startswith("TMEM-ARG-1 ")]
    assert " waived " in row
    assert "passed" not in row
    report = json.loads(Path("r.json").read_text())
    assert (report["verdict"], report["violations"]) == ("PASS", [])
    assert report["waived"] == {"TMEM-ARG-1": "our callers put whole pages"}
    assert report["clauses"]["TMEM-ARG-1"]["status"] == "waived"
    assert 'message="waived: our callers put whole pages"' in Path("r.xml").read_text()
    assert "TMEM-ARG-1: our callers put whole pages" in Path("r.html").read_text()


def test_what_is_not_waived_still_fails(run: Run, waivers: Path) -> None:
    source = Path("two.py")
    source.write_text(
        "from tmem.conformance.faults.targets import long_page_cut\n"
        "def factory():\n"
        "    backend = long_page_cut()\n"
        "    kept, backend.flush_page = backend.flush_page, lambda *where: False\n"
        "    return backend\n"
    )
    result = run("check", "py:two.py:factory", "--waivers", str(waivers), "--json", "r.json")
    assert result.exit_code == 1, result.output
    assert "broken: TMEM-FLUSH-1" in result.output
    assert "TMEM-ARG-1" not in {
        each["clause"] for each in json.loads(Path("r.json").read_text())["violations"]
    }


def test_a_waiver_that_no_longer_fails_is_an_error(run: Run, waivers: Path) -> None:
    result = run("check", "model:keep", "--waivers", str(waivers))
    assert result.exit_code == 2
    assert "the waiver of TMEM-ARG-1 does not hold" in words(result)
    assert "does not fail on model:keep" in words(result)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("[[waiver]", "is not TOML"),
        ("", "is not a file of waivers"),
        ("waiver = 3", "is not a file of waivers"),
        (WAIVER.format("x.json") + "\n[other]\n", "is not a file of waivers"),
        ('[[waiver]]\nclause = "TMEM-ARG-1"\n', "it has the keys clause, reason, counterexample"),
        (WAIVER.format("x.json").replace("our callers put whole pages", " "), "reason is a text"),
        (WAIVER.format("x.json").replace("ARG-1", "ARG-9"), "there is no clause TMEM-ARG-9"),
        (WAIVER.format("x.json"), "x.json cannot be read"),
    ],
)
def test_a_bad_file_of_waivers_is_one_line(run: Run, content: str | None, said: str) -> None:
    if content is not None:
        Path("waivers.toml").write_text(content)
    result = run("check", "model:keep", "--waivers", "waivers.toml")
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]


def test_a_counterexample_belongs_to_its_clause_and_each_clause_has_one(run: Run, waivers: Path) -> None:
    text = waivers.read_text()
    waivers.write_text(text + text)
    twice = run("check", CUTS, "--waivers", str(waivers))
    waivers.write_text(text.replace("ARG-1", "GET-1", 1))
    other = run("check", CUTS, "--waivers", str(waivers))
    assert (twice.exit_code, other.exit_code) == (2, 2)
    assert "TMEM-ARG-1 has two waivers" in words(twice)
    assert "breaks TMEM-ARG-1, not TMEM-GET-1" in words(other)
