"""Output that cannot be written ends the command with exit code 2, whatever it would have said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.run.test_cli import HOSTILE, TMEM

COMMANDS = (("explain",), ("explain", "put-3"), ("check", f"{HOSTILE}:answers_text", "--budget", "1"))


@pytest.mark.parametrize("words", COMMANDS)
def test_output_that_nobody_reads_is_no_verdict(tmp_path: Path, words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*TMEM, *words], stdout=write, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    os.close(write)
    assert done.returncode == 2
    assert done.stderr == "Error: the output cannot be written: Broken pipe\n"


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_disk_is_no_verdict(tmp_path: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*TMEM, *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "Error: the output cannot be written: No space left on device\n"
