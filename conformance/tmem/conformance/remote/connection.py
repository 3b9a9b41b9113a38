"""One connection to a store in another process: sends requests, and reads their answers in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from tmem.spec.abi import wire

CHUNK: Final = 1 << 16
WINDOW: Final = 1 << 15
"""Bytes of requests, and of answers, on their way at once. A pipe holds more: both sides can always write."""


class LostError(ConnectionError):
    """The connection ended before an answer came: the call may have happened or not."""


class ProtocolError(Exception):
    """The server sent what is no answer; the one line says which byte."""


class Connection:
    """A way to send bytes and a way to read them; calls do not overlap.

    `why` says, in words, how the other side ended. After an exception in the midst of a call the connection
    is `broken`, and takes no call any more.
    """

    def __init__(self, reading: int, writing: int, why: Callable[[], str], close: Callable[[], None]) -> None:
        self._reading = reading
        self._writing = writing
        self._why = why
        self._close = close
        self._tag = 0
        self._unread = bytearray()
        self.broken = False
        self.longest = wire.REQUEST.size + wire.OPENING.size
        """Bytes in the longest request that the server takes."""
        self.page_size = CHUNK

    def hello(self, key: bytes = wire.NEW_SESSION) -> wire.Welcome:
        """Begin a session, or join the one of a key. OSError where it is refused."""
        found = self.call(wire.Hello(key))
        if found.number < 0:
            raise OSError(-found.number, "the server refuses the session")
        try:
            about = wire.read_welcome(found.body)
        except wire.WireError as error:
            raise ProtocolError(f"byte {error.at} of the answer to HELLO: {error}") from error
        self.longest, self.page_size = about.longest, about.page_size
        return about

    def call(self, body: wire.Body) -> wire.Answer:
        """Send one request and return its answer. LostError, ProtocolError."""
        return self.calls((body,))[0]

    def calls(self, bodies: Sequence[wire.Body]) -> list[wire.Answer]:
        """Send requests without waiting for each answer; returns the answers in their order."""
        first = self._tag + 1
        frames = [wire.request((first + n) & 0xFFFFFFFF, body) for n, body in enumerate(bodies)]
        self._tag += len(frames)
        if self.broken:
            raise LostError(f"the connection was lost: {self._why()}")
        self.broken = True
        sent = 0
        answers: list[wire.Answer] = []
        while len(answers) < len(frames):
            room, batch = WINDOW, bytearray()
            while sent < len(frames):
                need = max(len(frames[sent]), self.page_size + wire.ANSWER.size)
                if batch and need > room:
                    break
                batch += frames[sent]
                room -= need
                sent += 1
            self._send(batch)
            while len(answers) < sent:
                answers.append(self._answer((first + len(answers)) & 0xFFFFFFFF))
        self.broken = False
        return answers

    def close(self) -> None:
        """End the connection, or give it back to whoever opened it."""
        self._close()

    def _send(self, data: bytearray) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._writing, view) :]
        except OSError as error:
            raise LostError(f"the connection was lost: {self._why() or error}") from error

    def _answer(self, tag: int) -> wire.Answer:
        self._fill(wire.LENGTH.size)
        length = wire.LENGTH.unpack_from(self._unread)[0] + wire.LENGTH.size
        if length < wire.ANSWER.size or length > wire.ANSWER.size + max(self.page_size, CHUNK):
            raise ProtocolError(f"byte 0 of an answer: {length - wire.LENGTH.size} is no length of one")
        self._fill(length)
        found = wire.read_answer(bytes(self._unread[:length]))
        del self._unread[:length]
        if found.tag != tag:
            raise ProtocolError(
                f"byte 4 of an answer: its tag is {found.tag}, not {tag}: answers come in order"
            )
        return found

    def _fill(self, size: int) -> None:
        """Read until there are this many bytes."""
        while len(self._unread) < size:
            try:
                data = os.read(self._reading, CHUNK)
            except OSError as error:
                raise LostError(f"the connection was lost: {self._why() or error}") from error
            if not data:
                raise LostError(f"the connection was lost: {self._why()}")
            self._unread += data
