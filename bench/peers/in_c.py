"""lz4 in C processes that share nothing: what two cores of this machine can reach."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.subjects import Missing

SOURCE = Path(__file__).with_name("lz4_loop.c")


class InC:
    """A C program, compiled on this machine. Raises Missing if there is no compiler or no lz4."""

    def __init__(self, folder: Path, pages: Sequence[bytes]) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise Missing("no C compiler: on Debian, apt-get install gcc libc6-dev")
        self._program, self._pages = folder / "lz4_loop", folder / "pages"
        command = [compiler, "-O2", "-o", str(self._program), str(SOURCE), "-llz4"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing("lz4 for C is not installed: on Debian, apt-get install liblz4-dev")
        self._pages.write_bytes(b"".join(pages))

    def rate(self, operation: str, processes: int, seconds: float) -> float:
        """Return the pages a second that this number of processes put or get together."""
        command = [str(self._program), str(self._pages), operation, str(seconds)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        answers = [process.communicate()[0] for process in running]
        if any(process.returncode for process in running):
            raise RuntimeError(f"{' '.join(command)} failed")
        return sum(map(float, answers))
