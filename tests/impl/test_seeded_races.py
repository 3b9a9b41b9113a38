"""Races seeded into the store are found: one seed each here, twenty by `make races`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.races.impl import RACES, seed
from tools.races.record import look

SLOW = {"put against destroy", "put into a freed object", "check-then-act", "copy-on-write lost put"}
"""Races that take more than a second each to find."""


@pytest.mark.parametrize(
    "race", [pytest.param(race, marks=[pytest.mark.long] * (race in SLOW)) for race in RACES]
)
def test_a_seeded_race_is_found(race: str) -> None:
    found = look(race, 0, "as in runs")
    assert found["clause"], "nothing was found"
    assert found["threads"] <= 3
    assert found["operations"] <= 6


@pytest.mark.long
def test_the_command_finds_one(tmp_path: Path) -> None:
    target = f"py:{seed('double exclusive get', tmp_path)}:factory"
    command = [str(Path(sys.executable).with_name("tmem")), "check", target]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "TMEM-GET-2" in run.stdout
    assert "thread 1" in run.stdout
