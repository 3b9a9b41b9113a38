"""`tmem check-trace`: the exit codes, and one clear line for a file that is no history."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tmem.conformance.cli.main import main
from tmem.conformance.history.calls import Call
from tmem.conformance.history.trace.format import line_of

SLOT = (1, 0, 7, 3)
CALLS = [
    Call(0, 0, 1, "new_pool", (1, 0x01000000, None), 0),
    Call(0, 2, 5, "put", (*SLOT, b"a"), True),
    Call(1, 3, 6, "get", SLOT, b"a"),
    Call(0, 7, 8, "get", SLOT, b"a"),
]


def run(path: Path, text: str) -> tuple[int, str]:
    path.write_text(text, "utf-8")
    result = CliRunner().invoke(main, ["check-trace", str(path)])
    return result.exit_code, result.output


def lines(calls: list[Call]) -> str:
    return "".join(f"{line_of(call)}\n" for call in calls)


def test_a_legal_history_passes(tmp_path: Path) -> None:
    code, output = run(tmp_path / "trace", lines(CALLS[:3]))
    assert (code, "3 calls can have happened" in output) == (0, True)


def test_an_illegal_one_fails_with_its_window(tmp_path: Path) -> None:
    code, output = run(tmp_path / "trace", lines(CALLS))
    assert code == 1
    assert "TMEM-GET-2" in output
    assert output.count("thread") == len(CALLS)


@pytest.mark.parametrize("text", ["no json\n", '{"op": 3}\n', "[]\n"])
def test_what_is_no_history_gets_one_line(tmp_path: Path, text: str) -> None:
    code, output = run(tmp_path / "trace", text)
    assert code == 2
    assert "line 1" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_history_of_no_calls_is_none(tmp_path: Path, text: str) -> None:
    code, output = run(tmp_path / "trace", text)
    assert code == 2
    assert f"{tmp_path / 'trace'} holds no call" in " ".join(output.split())
    for file in ("-", "/dev/null"):
        result = CliRunner().invoke(main, ["check-trace", file], input=text)
        assert (result.exit_code, f"{file} holds no call" in result.output) == (2, True)
    assert "PASS" not in output + result.output


def test_times_are_told_as_they_were_given(tmp_path: Path) -> None:
    start = 1_234_567_890_123_456
    calls = [call._replace(begin=start + call.begin, end=start + (call.end or 0)) for call in CALLS]
    code, output = run(tmp_path / "trace", lines(calls))
    assert code == 1
    assert f"  thread 1  {start + 3} to {start + 6}  get(1, 0, 7, 3) → '61'\n" in output


def test_a_missing_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check-trace", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "No such file" in result.output
