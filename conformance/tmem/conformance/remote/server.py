"""Opens connections to a server: a program that talks by its standard streams, or a socket."""

from __future__ import annotations

import shlex
import signal
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tmem.conformance.remote.connection import Connection
from tmem.conformance.remote.line import Line

SCHEMES: Final = ("cmd", "unix", "tcp")
CONNECT: Final = 10.0
"""Seconds in which a socket must take a connection."""
_CREDENTIALS: Final = struct.Struct("iII")
END: Final = 1.0
"""Seconds that a program whose pipe is closed is given to end, for its exit code."""


class ServerError(Exception):
    """There is no server to talk to; the one line says why, and what to do."""


class Server(Protocol):
    """Whoever answers: each connection reaches the same store."""

    def connect(self) -> Connection:
        """A connection that nobody else uses. Raises ServerError."""

    def line(self, hang_after: float) -> Line:
        """A connection for raw bytes; the server has so many seconds for each step. Raises ServerError."""


def server(scheme: str, rest: str) -> Server:
    """The server of a TARGET: `cmd:program args`, `unix:path` or `tcp:host:port`. Raises ServerError."""
    if scheme == "cmd":
        return Program(rest)
    if scheme == "unix":
        return Socket(socket.AF_UNIX, rest)
    host, _, port = rest.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise ServerError(f"{rest} is no address: the form is tcp:HOST:PORT")
    return Socket(socket.AF_INET6 if ":" in host else socket.AF_INET, (host.strip("[]"), int(port)))


def listener(target: str) -> int | None:
    """The id of the process that listens at a `unix:` target; None where there is none, or nobody says."""
    scheme, _, path = target.partition(":")
    if scheme != "unix" or not hasattr(socket, "SO_PEERCRED"):
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        if peer.connect_ex(path):
            return None
        pid, _, _ = _CREDENTIALS.unpack(
            peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
    return pid or None


@dataclass(frozen=True, slots=True)
class Socket:
    """A server that listens at a socket."""

    family: socket.AddressFamily
    address: str | tuple[str, int]

    def connect(self) -> Connection:
        """Connect to it."""
        peer = self._connected()
        return Connection(peer.fileno(), peer.fileno(), lambda: "the server closed it", peer.close)

    def line(self, hang_after: float) -> Line:
        """Connect to it, for raw bytes."""
        peer = self._connected()
        return Line(
            peer.fileno(), peer.fileno(), lambda: peer.shutdown(socket.SHUT_WR), peer.close, hang_after
        )

    def _connected(self) -> socket.socket:
        peer = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            peer.settimeout(CONNECT)
            peer.connect(self.address)
            peer.settimeout(None)
            if self.family != socket.AF_UNIX:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            peer.close()
            raise ServerError(f"no server answers at {self._where}: {error.strerror or error}") from error
        return peer

    @property
    def _where(self) -> str:
        return self.address if isinstance(self.address, str) else ":".join(map(str, self.address))


class Program:
    """A program that is started for each connection; one that is closed is used again, if it still runs."""

    def __init__(self, command: str) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise ServerError(f"{command} is no command: {error}") from error
        if not self._command:
            raise ServerError("which program? Write cmd:./program args")
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def connect(self) -> Connection:
        """Start it, or take one that has no session."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        process, reading, writing = self._started()
        connection = Connection(
            reading, writing, lambda: _end(process), lambda: self._closed(connection, process)
        )
        return connection

    def line(self, hang_after: float) -> Line:
        """Start it, for raw bytes."""
        process, reading, writing = self._started()
        assert process.stdin is not None
        return Line(reading, writing, process.stdin.close, lambda: _kill(process), hang_after)

    def _started(self) -> tuple[subprocess.Popen[bytes], int, int]:
        try:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            program = self._command[0]
            if isinstance(error, FileNotFoundError) and Path(program).is_file():
                raise ServerError(
                    f"{program} starts no program: its first line names one that is not there"
                ) from error
            raise ServerError(f"{program} cannot be started: {error.strerror}") from error
        assert process.stdin is not None
        assert process.stdout is not None
        return process, process.stdout.fileno(), process.stdin.fileno()

    def _closed(self, connection: Connection, process: subprocess.Popen[bytes]) -> None:
        if connection.broken:
            _kill(process)
            return
        with self._lock:
            self._idle.append(connection)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def _end(process: subprocess.Popen[bytes]) -> str:
    """How a program ended, in words."""
    try:
        code = process.wait(END)
    except subprocess.TimeoutExpired:
        return "the program closed its output and runs on"
    if code < 0:
        return f"the program died of {signal.Signals(-code).name}"
    return f"the program exited with code {code}"
