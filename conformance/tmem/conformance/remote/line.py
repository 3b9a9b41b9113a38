"""A way to a server for raw bytes, right or wrong, by which the protocol itself is checked."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import Final

from tmem.spec.abi import wire

CHUNK: Final = 1 << 16


class SilentError(Exception):
    """Nothing came in the time that a server has, or the connection ended first; one line says which."""


class Line:
    """One connection. `hang_after` is the time in seconds that the server has for each step.

    `shut` says that nothing more is sent, `close` ends the connection.
    """

    def __init__(
        self,
        reading: int,
        writing: int,
        shut: Callable[[], None],
        close: Callable[[], None],
        hang_after: float,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self.shut = shut
        self.close = close
        self._hang_after = hang_after
        self._unread = bytearray()
        self._ended = False
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)

    def send(self, data: bytes) -> None:
        """Send all of it; what comes back meanwhile is kept. SilentError where the server takes no more."""
        rest = memoryview(data)
        while rest := rest[self.push(rest) :]:
            self._wait(writing=True)

    def push(self, data: bytes | memoryview) -> int:
        """Send what goes without waiting; the number of bytes."""
        try:
            return os.write(self._writing, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise SilentError(f"the connection ended while it was written to: {error.strerror}") from error

    def answer(self) -> bytes:
        """The next whole answer. SilentError."""
        head = self._take(wire.LENGTH.size, "an answer")
        length = wire.LENGTH.unpack(head)[0]
        if length > 1 << 26:
            raise SilentError(f"byte 0 of an answer: its length is {length}")
        return head + self._take(length, f"an answer with {length} bytes behind its length")

    def end(self) -> bytes:
        """What still comes until the server ends the connection. SilentError where it does not."""
        while not self._ended:
            self._wait()
        return bytes(self._unread)

    def _take(self, size: int, what: str) -> bytes:
        while len(self._unread) < size:
            if self._ended:
                raise SilentError(
                    f"the server ended the connection after {len(self._unread)} bytes, where {what} belongs"
                )
            self._wait()
        found = bytes(self._unread[:size])
        del self._unread[:size]
        return found

    def _wait(self, writing: bool = False) -> None:
        """Wait until something can be read, which is kept, or written where that is wanted."""
        poll = select.poll()
        if not self._ended:
            poll.register(self._reading, select.POLLIN)
        if writing:
            poll.register(self._writing, select.POLLOUT | (0 if self._ended else select.POLLIN))
        ready = poll.poll(1000 * self._hang_after)
        if not ready:
            raise SilentError(f"nothing came in {self._hang_after:g} s")
        if all(each != self._reading for each, _ in ready):
            return
        try:
            data = os.read(self._reading, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a connection that was reset has ended as well
        self._unread += data
        self._ended = not data
