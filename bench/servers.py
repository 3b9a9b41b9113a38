"""Servers that the bench starts, each on a unix socket in a temporary folder, and ends."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from pathlib import Path

from bench.subjects import Missing

PATIENCE = 5.0
"""Seconds that a server may take until it listens."""


class Server:
    """A server that runs until `stop`. Raises Missing if it is not installed or does not start."""

    def __init__(self, command: list[str], path: Path) -> None:
        if shutil.which(command[0]) is None:
            raise Missing(f"{command[0]} is not installed: on Debian, apt-get install {command[0]}")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not _listens(path):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Missing(f"{command[0]} did not start: run it by hand to see why: {' '.join(command)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _listens(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        return True
    return False
