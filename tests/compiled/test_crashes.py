"""A library that ends the process: a finding with the operations, and where in the source that was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiled.conftest import STORES, Build, tool
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found
from tmem.conformance.run.check import Request, check

VOLUME = [engine for engine in ENGINES if engine.name == "volume"]


@pytest.mark.parametrize(("number", "signal"), [(11, "SIGSEGV"), (6, "SIGABRT")])
def test_a_crash_has_operations_and_a_backtrace(build: Build, number: int, signal: str) -> None:
    request = Request(f"so:{build('buckets.c', f'ENDS={number}')}", scale=0.02, shrink=0.0)
    found = [event.finding for event in check(request, VOLUME) if isinstance(event, Found)]
    (crash,) = (each for each in found if each.clause == "TMEM-CONC-3")
    assert signal in crash.message
    assert "put" in crash.steps[-1]
    assert "buckets.c:" in crash.picture
    assert "in tmem_put" in crash.picture
    assert "beyond 128 bits" in crash.picture, "what it wrote to stderr is kept"


@pytest.mark.long
def test_the_address_sanitizer_works_with_the_suite(headers: Path, tmp_path: Path) -> None:
    compiler, library = tool("cc", "gcc"), tmp_path / "libasan.so"
    options = [
        "-g",
        "-shared",
        "-fPIC",
        "-fsanitize=address",
        "-DOVERRUNS",
        f"-I{headers}",
        "-o",
        str(library),
    ]
    subprocess.run([compiler, *options, str(STORES / "buckets.c")], check=True)
    asan = subprocess.run(
        [compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    sanitized = {"LD_PRELOAD": asan.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0:print_legend=0"}
    command = [Path(sys.executable).with_name("tmem"), "check", f"so:{library}", "--budget", "60"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | sanitized, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "AddressSanitizer: heap-buffer-overflow" in done.stdout
    assert "in tmem_put" in done.stdout
