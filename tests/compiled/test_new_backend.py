"""The starters of `tmem new-backend`: each is built, is right, and has a fault that is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.compiled.conftest import tool
from tmem.conformance.cli.main import main
from tmem.conformance.compiled.new_backend import LIBRARIES as IN_LIBRARIES
from tmem.conformance.schedules.explore import Subject, explore, open_library, open_subject

SOURCES = {"c": "store.c", "cpp": "store.cpp", "rust": "src/lib.rs", "python": "store.py"}
TOOLS = {"c": ("cc", "gcc"), "cpp": ("c++", "g++"), "rust": ("cargo",), "python": (sys.executable,)}
LIBRARIES = {
    "c": ("libstore.so", "libfault.so"),
    "cpp": ("libstore.so", "libfault.so"),
    "rust": ("target/store/debug/libstore.so", "target/fault/debug/libstore.so"),
}


@pytest.fixture(scope="module", params=(*IN_LIBRARIES, "python"))
def starter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A language, and a folder that `tmem new-backend` made for it."""
    tool(*TOOLS[request.param])
    folder = tmp_path_factory.mktemp("starters") / request.param
    made = CliRunner().invoke(main, ["new-backend", request.param, str(folder)])
    assert made.exit_code == 0
    assert "make check" in made.output
    return request.param, folder


def opened(starter: tuple[str, Path], fault: bool, monkeypatch: pytest.MonkeyPatch) -> Subject:
    language, folder = starter
    if language == "python":
        monkeypatch.setenv("FAULT", "1" if fault else "")
        return open_subject(str(folder / "store.py"), "Store")
    # What stands in for tmem does what it says for `cc` and `flags`, and checks nothing.
    stub = folder / "tmem"
    real = Path(sys.executable).with_name("tmem")
    stub.write_text(f'#!/bin/sh\n[ "$1" = check ] || exec {real} "$@"\n')
    stub.chmod(0o755)
    command = ["make", "-s", "fault" if fault else "check", f"TMEM={stub}"]
    subprocess.run(command, cwd=folder, check=True, env=os.environ)
    return open_library(folder / LIBRARIES[language][fault], (None, 4 * 4096))


def test_a_starter_is_short(starter: tuple[str, Path]) -> None:
    language, folder = starter
    lines = (folder / SOURCES[language]).read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 60


def test_a_starter_is_right(starter: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(explore(opened(starter, False, monkeypatch), 0, 10)) == []


@pytest.mark.long
def test_the_fault_of_a_starter_is_found(starter: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(explore(opened(starter, True, monkeypatch), 0, 60), None) is not None


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["new-backend", "c", str(tmp_path)])
    assert made.exit_code == 2
    assert "is there already" in made.output
