"""What the rules of the protocol are checked with: requests, and what their answers may be, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count

from tmem.conformance.remote.line import Line, SilentError
from tmem.conformance.remote.server import Server
from tmem.spec.abi import wire


class WrongError(Exception):
    """An answer that breaks the protocol; the one line says which byte."""


@dataclass(frozen=True, slots=True)
class Want:
    """What an answer may be: one of `numbers`, with the body of that number if it is 1, else with none."""

    numbers: Callable[[int], bool]
    words: str
    body: bytes = b""


def one_of(*numbers: int, body: bytes = b"") -> Want:
    """An answer with one of these numbers.

    >>> one_of(0, -19).words
    '0 or -19'
    """
    return Want(numbers.__contains__, " or ".join(map(str, numbers)), body)


POOL = Want(lambda number: 0 <= number < 1 << 31, "a pool id")


class Dialogue:
    """One line to a server, on which each answer is compared with what it has to be."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._tags = count(0xFFFFFFF0)  # they go over the end of 32 bits, and none is that of its place

    def tag(self) -> int:
        """A tag that the answer has to repeat."""
        return next(self._tags) * 0x9E3779B1 % (1 << 32)

    def hello(self, key: bytes = wire.NEW_SESSION) -> wire.Welcome:
        """Begin or join a session; what the server says of its store."""
        tag = self.tag()
        self.line.send(wire.request(tag, wire.Hello(key)))
        answer = self._read("HELLO", tag)
        if answer.number != wire.VERSION:
            raise WrongError(f"byte 8 of the answer to HELLO: {answer.number}, not {wire.VERSION}")
        try:
            return wire.read_welcome(answer.body)
        except wire.WireError as error:
            raise WrongError(f"byte {wire.ANSWER.size + error.at} of the answer to HELLO: {error}") from error

    def ask(self, what: str, body: wire.Body, want: Want) -> int:
        """Send a request, and compare its answer; its number."""
        tag = self.tag()
        self.line.send(wire.request(tag, body))
        return self.expect(what, tag, want)

    def ask_raw(self, what: str, kind: int, body: bytes, want: Want, client: int = 1) -> int:
        """Send a request with any kind and body, and compare its answer."""
        tag = self.tag()
        head = wire.REQUEST.pack(wire.REQUEST.size - wire.LENGTH.size + len(body), tag, kind, client)
        self.line.send(head + body)
        return self.expect(what, tag, want)

    def expect(self, what: str, tag: int, want: Want) -> int:
        """Read an answer, and compare it; its number."""
        answer = self._read(what, tag)
        if not want.numbers(answer.number):
            raise WrongError(
                f"byte 8 of the answer to {what}: the number is {answer.number}, not {want.words}"
            )
        body = want.body if answer.number == 1 else b""
        if answer.body != body:
            first = next((n for n, (a, b) in enumerate(zip(answer.body, body, strict=False)) if a != b), None)
            if first is None:
                raise WrongError(
                    f"byte 0 of the answer to {what}: {len(answer.body)} bytes follow its number, "
                    f"not {len(body)}"
                )
            at = wire.ANSWER.size + first
            raise WrongError(
                f"byte {at} of the answer to {what}: {answer.body[first]:#04x}, not {body[first]:#04x}"
            )
        return answer.number

    def ended(self, what: str) -> None:
        """The server sends nothing more, and ends the connection."""
        rest = self.line.end()
        if rest:
            raise WrongError(f"{len(rest)} bytes came after {what}, where the connection ends")

    def _read(self, what: str, tag: int) -> wire.Answer:
        try:
            answer = wire.read_answer(self.line.answer())
        except SilentError as error:
            raise WrongError(f"{what}: {error}") from error
        except wire.WireError as error:
            raise WrongError(f"byte {error.at} of the answer to {what}: {error}") from error
        if answer.tag != tag:
            raise WrongError(f"byte 4 of the answer to {what}: the tag is {answer.tag:#x}, not {tag:#x}")
        return answer


@dataclass(frozen=True, slots=True)
class Peer:
    """The server that is checked. `hang_after` is the time in seconds that it has for each step."""

    server: Server
    hang_after: float

    @contextmanager
    def dialogue(self) -> Iterator[Dialogue]:
        """A connection of its own."""
        with closing(self.server.line(self.hang_after)) as line:
            yield Dialogue(line)
