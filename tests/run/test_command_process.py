"""The `tmem` command as a process: interrupts, what it leaves behind, and its output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.run.test_cli import HOSTILE, LONG, SUPPORT, TMEM, Run, quick, run
from tests.support.processes import running
from tmem.conformance.report.verdict import Verdict

__all__ = ["quick", "run"]


@pytest.mark.parametrize(
    ("number", "target", "expected", "found"),
    [
        (signal.SIGINT, "model:keep", Verdict.UNKNOWN, "claims: "),
        (signal.SIGTERM, "model:keep", Verdict.UNKNOWN, "claims: "),
        (signal.SIGINT, f"{HOSTILE}:raises_base", Verdict.FAIL, "broken: "),
        pytest.param(signal.SIGTERM, f"{HOSTILE}:raises_base", Verdict.FAIL, "broken: ", marks=LONG),
    ],
)
def test_an_interrupt_reports_what_was_found_so_far(
    tmp_path: Path, number: int, target: str, expected: Verdict, found: str
) -> None:
    command = [*TMEM, "check", target, "--budget", "100", "--json", "report.json"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        # A shell starts what runs in the background with SIGINT ignored, and so would it be here.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(found):
            break
    time.sleep(0.3)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode == expected.value
    assert output.splitlines()[-1].startswith(f"{expected.name}  {target}: The run was interrupted after ")
    assert output.count(expected.name) == 1, "it ends in one line"
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == expected.name


@pytest.mark.parametrize("place", ["import tmem.conformance.cli.main", "command"])
def test_an_interrupt_at_the_start_ends_in_one_line(place: str) -> None:
    stub = "" if place == "command" else "raise KeyboardInterrupt"
    code = f"""
import sys, types
from tmem.conformance.cli import start
class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == "tmem.conformance.cli.main": raise KeyboardInterrupt
if {stub!r}: sys.meta_path.insert(0, Loading())
else:
    from tmem.conformance.cli import main, explain
    def interrupted(): raise KeyboardInterrupt
    explain.listing = interrupted
sys.argv = ["tmem", "explain"]
start.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "UNKNOWN  interrupted before there was an answer\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_no_worker_outlives_a_command_that_is_killed(tmp_path: Path) -> None:
    mine = tmp_path / "hostile.py"
    mine.write_bytes((SUPPORT / "hostile.py").read_bytes())
    target = f"py:{mine}:hangs_in_put"
    command = [*TMEM, "check", target, "--jobs", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("claims: "))
    time.sleep(0.5)  # the target hangs by now: no write to a broken pipe will end it
    assert len(running(str(mine))) == 2
    process.kill()
    process.wait()
    patience = time.monotonic() + 10
    while running(str(mine)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not running(str(mine))


def test_what_a_target_prints_stays_out_of_the_report(quick: Run, capfd: pytest.CaptureFixture[str]) -> None:
    result = quick("check", f"{HOSTILE}:Prints")
    assert "noise" not in result.output + "".join(capfd.readouterr())
    assert "Prints: pages of 4096 bytes" in result.output


def test_output_for_terminals_that_know_ascii_only(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TMEM, "check", f"{HOSTILE}:raises_base", "--fail-fast"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert "FAIL" in done.stdout
