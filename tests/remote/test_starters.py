"""The programs of `tmem new-backend` speak the protocol, are right, and have a fault that is found."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.run.short_run import follow
from tmem.conformance.cli.main import main
from tmem.conformance.compiled.new_backend import PROGRAMS

TOOLS = {"go": "go", "node": "node", "python-cmd": sys.executable, "rust-cmd": "cargo"}
BUILD = {"go": ("store",), "rust-cmd": ("build",)}
RUN = {
    "go": "{0}/store",
    "node": "node {0}/store.js",
    "python-cmd": shlex.quote(sys.executable) + " {0}/store.py",
    "rust-cmd": "{0}/target/debug/store",
}

SHORT = ("go", "python-cmd")


@pytest.fixture(
    scope="module",
    params=[*SHORT, *(pytest.param(each, marks=pytest.mark.long) for each in PROGRAMS if each not in SHORT)],
)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program of a language, built in a folder that `tmem new-backend` made."""
    if not shutil.which(TOOLS[request.param]):
        pytest.skip(f"{TOOLS[request.param]} is not installed: the program in {request.param} was not run")
    folder = tmp_path_factory.mktemp("programs") / "store"
    made = CliRunner().invoke(main, ["new-backend", request.param, str(folder)])
    assert made.exit_code == 0, made.output
    for goal in BUILD.get(request.param, ()):
        subprocess.run(["make", "-s", goal], cwd=folder, check=True)
    return "cmd:" + RUN[request.param].format(shlex.quote(str(folder)))


def test_a_program_speaks_the_protocol(target: str) -> None:
    result = CliRunner().invoke(main, ["harness-check", target])
    assert result.exit_code == 0, result.output


@pytest.mark.long
def test_a_program_is_right(target: str) -> None:
    _, summary = follow(target, scale=0.005, hang_after=60.0)
    assert not summary.findings
    assert summary.operations > 500


def test_the_fault_of_a_program_is_found(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULT", "1")
    _, summary = follow(target, scale=0.005, hang_after=60.0)
    assert set(summary.findings) == {"TMEM-GET-2"}


def test_its_makefile_checks_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    assert CliRunner().invoke(main, ["new-backend", "python-cmd", str(folder)]).exit_code == 0
    stub = tmp_path / "tmem"
    stub.write_text('#!/bin/sh\necho "$1|$2|$FAULT"\n')
    stub.chmod(0o755)
    said = [
        subprocess.check_output(["make", "-s", goal, f"TMEM={stub}"], cwd=folder, text=True).splitlines()
        for goal in ("check", "fault")
    ]
    store = "cmd:python3 store.py"
    assert said == [[f"harness-check|{store}|", f"check|{store}|"], [f"check|{store}|1"]]
