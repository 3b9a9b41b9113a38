"""Servers that run while a module's tests do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tmem.conformance.remote.server import Server, server

TMEM = (sys.executable, "-c", "from tmem.conformance.cli.main import main; main()")
"""The `tmem` command."""


class Served:
    """A `tmem serve` that listens at a socket of its own."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [*TMEM, "serve", f"unix:{path}", *options], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.said = [self.process.stderr.readline()]
        while self.said[-1] and not self.said[-1].startswith("listening"):
            self.said.append(self.process.stderr.readline())

    @property
    def server(self) -> Server:
        return server("unix", str(self.path))

    def stop(self) -> str:
        """End it as an init system does. Returns what it said at the end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=60)[1]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for tests that leave nothing behind."""
    found = Served(tmp_path_factory.mktemp("served") / "s")
    yield found
    found.end()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts servers with options, which end with the test."""
    all_: list[Served] = []

    def start(*options: str) -> Served:
        all_.append(Served(tmp_path / f"s{len(all_)}", *options))
        return all_[-1]

    yield start
    for each in all_:
        each.end()


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; the test's own limit is the suite's."""
    while not condition():
        time.sleep(0.01)


def descriptors(pid: int) -> int:
    """Descriptors that a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
