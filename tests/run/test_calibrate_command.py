"""`tmem calibrate` as its users meet it: what it refuses before the work, and what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tmem.conformance.calibration import command, run
from tmem.conformance.cli.main import main

ONE = (
    "calibrate",
    "--target",
    "model:keep",
    "--faults",
    "put-answers-one",
    "--seeds",
    "2",
)


def invoke(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, in which the command runs; `file` is not a folder."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    return tmp_path


@pytest.mark.parametrize("gains", [(), ("--gains", "1")])
@pytest.mark.parametrize(
    ("option", "path", "said"),
    [
        ("--work", "file", "file is not a folder"),
        ("--work", "file/work", "file is not a folder"),
        ("--results", "file", "file is not a folder"),
        ("--results", "file/results", "file is not a folder"),
        ("--page", "file/x.md", "file is not a folder"),
        ("--page", "folder", "folder is a folder; name a file in it"),
        ("--canaries", "file/x.json", "file is not a folder"),
        ("--canaries", "folder", "folder is a folder; name a file in it"),
    ],
)
def test_output_that_cannot_be_written_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, gains: tuple[str, ...], option: str, path: str, said: str
) -> None:
    for work in ("calibrate", "measure"):
        monkeypatch.setattr(command.run, work, lambda *_: pytest.fail("the work began"))
    Path("folder").mkdir()
    result = invoke("calibrate", "--target", "model:keep", option, path, *gains)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: Invalid value for '{option}': {said}"
    assert Path("file").read_text() == "kept"


def test_a_run_of_some_faults_prints_its_results_and_writes_nothing(folder: Path) -> None:
    result = invoke(*ONE, "--results", ".", "--page", "file", "--canaries", "canaries.json")
    assert result.exit_code == 0, result.output
    lines = result.output.split("\n")
    assert any(line.startswith("put-answers-one: 2/2 kills, blamed on TMEM-") for line in lines)
    assert "Nothing was written: the tables need all " in result.output
    assert "2 of 2 runs of faults were kills." in lines
    assert "0 conforming backends were run." in lines
    assert Path("file").read_text() == "kept"
    assert {path.name for path in folder.iterdir()} == {"file", ".tmem-calibration"}


def test_results_of_other_code_are_not_resumed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    kept = []
    for code in ("this", "this", "other"):
        monkeypatch.setattr(run, "_code", lambda code=code: code)
        invoke(*ONE)
        kept.append(len((folder / ".tmem-calibration" / "calibration.jsonl").read_text().splitlines()))
    assert kept == [2, 2, 4]


def test_gains_of_some_faults_are_printed_and_not_written(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(command.run, "measure", lambda *_: [])
    result = invoke(*ONE, "--gains", "1", "--page", "file")
    assert result.exit_code == 0, result.output
    assert "What each heuristic gains" in result.output
    assert "Nothing was written" in result.output
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_a_run_of_every_fault_writes_its_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.run, "calibrate", lambda *_: run.Outcome([], []))
    result = invoke("calibrate", "--faults", "*-*", "--results", "new/results", "--page", "new/page.md")
    assert result.exit_code == 0, result.output
    assert "Nothing was written" not in result.output
    assert Path("new/page.md").read_text().startswith("# Calibration")
    assert {path.name for path in Path("new/results").iterdir()} == {"kill.json", "accept.json"}
