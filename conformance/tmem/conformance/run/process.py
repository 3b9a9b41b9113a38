"""A worker process as its supervisor sees it: its messages, its output, its ring, its end."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tmem.conformance.run import messages as wire
from tmem.conformance.run.heartbeat import Ring
from tmem.conformance.run.messages import Job, Message

COMMAND: Final = (sys.executable, "-P", "-u", "-m", "tmem.conformance.run.worker")
RUN: Final = "TMEM_RUN"
"""The variable of the environment that tells a target which process its run is: what it shares by run."""
_CHUNK: Final = 1 << 16
_TAIL: Final = 1 << 13
"""Bytes that are kept of what the target prints."""


class Process:
    """A worker that does one job. What it prints is read, and its end kept, so that it fills no disk."""

    def __init__(self, job: Job, folder: Path, command: Sequence[str] = COMMAND) -> None:
        self.ring = Ring.create(folder / "ring")
        self.strange = 0
        """Lines that came in place of events."""
        self._stacks = folder / "stacks"
        self._output = b""
        self._unread = b""
        self._events, send = os.pipe()
        try:
            self._process = subprocess.Popen(
                [*command, str(send), str(folder / "ring"), str(self._stacks), job.to_json()],
                pass_fds=(send,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the supervisor's to handle
                env=os.environ
                | {
                    "COLUMNS": str(shutil.get_terminal_size().columns),  # for pictures
                    RUN: str(os.getpid()),
                },
            )
        finally:
            os.close(send)
        assert self._process.stdout is not None
        self._selector = selectors.DefaultSelector()
        for source in (self._events, self._process.stdout):
            self._selector.register(source, selectors.EVENT_READ)

    def messages(self, timeout: float) -> list[Message]:
        """Return the worker's messages as soon as there are any, or none after the timeout in seconds."""
        found: list[Message] = []
        for key, _ in self._selector.select(timeout):
            data = os.read(key.fd, _CHUNK)
            if not data:
                self._selector.unregister(key.fileobj)
            elif key.fd == self._events:
                found += self._decode(data)
            else:
                self._output = (self._output + data)[-_TAIL:]
        return found

    def _decode(self, data: bytes) -> list[Message]:
        *lines, self._unread = (self._unread + data).split(b"\n")
        if len(self._unread) > wire.LONGEST:
            self._unread = b""
        found: list[Message] = []
        for line in lines:
            try:
                found.append(wire.decode(line))
            except ValueError:
                self.strange += 1
        return found

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit status, or minus the signal, of a worker that is dead; None while it lives."""
        return self._process.poll()

    @property
    def drained(self) -> bool:
        """Whether all that the worker wrote was read; never where it left children that keep the pipes."""
        return not self._selector.get_map()

    @property
    def stacks(self) -> str:
        """The stacks of threads, where they were written."""
        return self._stacks.read_text(errors="replace") if self._stacks.exists() else ""

    @property
    def output(self) -> str:
        """The end of what the worker printed."""
        return self._output.decode(errors="replace")

    def write_stacks(self) -> None:
        """Have the worker write the stacks of its threads, even where they hang; takes up to a second."""
        with suppress(OSError):
            os.truncate(self._stacks, 0)
        self._process.send_signal(signal.SIGUSR1)
        before = ""
        for _ in range(10):
            time.sleep(0.1)
            if self.stacks == before != "":
                return
            before = self.stacks

    def end(self) -> None:
        """End the process and what it started, and let go of everything."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        os.close(self._events)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self.ring.close()
