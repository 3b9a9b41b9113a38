"""`tmem harness-check` passes servers that speak the protocol, and says which byte of another is wrong."""

from __future__ import annotations

import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.remote.conftest import Served
from tmem.conformance.cli.main import main
from tmem.conformance.remote.rules import RULES
from tmem.conformance.server.conversation import Conversation
from tmem.conformance.server.sessions import Session, Sessions
from tmem.model import Adversary
from tmem.spec.abi import wire
from tmem.spec.operations import FlushPage, Get, PoolFlags, Put


def checked(target: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["harness-check", target, *options])


def test_a_server_that_speaks_the_protocol(served: Served) -> None:
    result = checked(f"unix:{served.path}")
    assert result.exit_code == 0, result.output
    assert result.output.count("✓") == len(RULES)
    assert f"All {len(RULES)} rules hold." in result.output


Answers = Callable[[Conversation, bytes], bytes]


class Broken:
    """A server that speaks the protocol but for one thing."""

    def __init__(self, path: Path, sessions: Sessions, answers: Answers) -> None:
        self._sessions = sessions
        self._answers = answers
        self._lock = threading.Lock()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(path))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        conversation = Conversation(self._sessions)
        with peer, suppress(OSError):
            while not conversation.misread and (data := peer.recv(1 << 16)):
                with self._lock:
                    found = self._answers(conversation, data)
                peer.sendall(found)
        with self._lock:
            conversation.end()

    def close(self) -> None:
        self._listening.close()


def honest(conversation: Conversation, data: bytes) -> bytes:
    conversation.received(data)
    return conversation.answers(1 << 20)[0]


def frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = wire.LENGTH.unpack_from(data)[0] + wire.LENGTH.size
        yield data[:size]
        data = data[size:]


def backwards(conversation: Conversation, data: bytes) -> bytes:
    return b"".join(reversed(list(frames(honest(conversation, data)))))


def without_tags(conversation: Conversation, data: bytes) -> bytes:
    return b"".join(each[:4] + bytes(4) + each[8:] for each in frames(honest(conversation, data)))


def only_whole(conversation: Conversation, data: bytes) -> bytes:
    answers = honest(conversation, data)
    if conversation.waiting:
        conversation.misread = "half a frame"
    return answers


def one_more(conversation: Conversation, data: bytes) -> bytes:
    answers = honest(conversation, data)
    return answers + wire.answer(0, 0) if conversation.misread else answers


def any_version(conversation: Conversation, data: bytes) -> bytes:
    return honest(conversation, data.replace(b"tmem\x63\x00", b"tmem\x01\x00"))


class Changed(Sessions):
    """Sessions that answer one kind of request otherwise."""

    def __init__(self, kind: type, number: int | None = None, body: bytes | None = None, at: int = 0) -> None:
        super().__init__(Adversary("keep"))
        self._change = kind, number, body, at

    def answer(self, session: Session, body: wire.Body) -> tuple[int, bytes]:
        number, page = super().answer(session, body)
        kind, other, more, at = self._change
        if type(body) is not kind or number < 0:
            return number, page
        if more is not None and len(page) >= at:
            page = page[:at] + more + page[at + len(more) :]
        return number if other is None else other, page


class Keeps(Sessions):
    """Sessions whose pools do not end: they are given to the next one."""

    def __init__(self) -> None:
        super().__init__(Adversary("keep"))

    def end(self, session: Session) -> None:
        self._kept = session

    def begin(self, key: bytes) -> tuple[Session | None, tuple[int, bytes]]:
        session, reply = super().begin(key)
        if session is not None and hasattr(self, "_kept"):
            session.pools, session.clients = self._kept.pools, self._kept.clients
        return session, reply


def keep() -> Sessions:
    return Sessions(Adversary("keep"))


BROKEN: dict[str, tuple[Callable[[], Sessions], Answers, str, str]] = {
    "backwards": (keep, backwards, "order", "byte 4 of the answer to request 1 of 500, put: the tag is"),
    "without tags": (keep, without_tags, "hello", "byte 4 of the answer to HELLO: the tag is 0x0, not"),
    "only whole": (keep, only_whole, "pieces", "ended"),
    "one more": (keep, one_more, "lengths", "16 bytes came after a length of 0, where the connection ends"),
    "any version": (
        keep,
        any_version,
        "wrong-hello",
        "byte 8 of the answer to HELLO of version 99: the number is 1, not",
    ),
    "pools stay": (
        Keeps,
        honest,
        "close",
        "byte 8 of the answer to get in the next session: the number is 1, not 0",
    ),
    "torn page": (
        lambda: Changed(Get, body=b"!", at=4095),
        honest,
        "operations",
        "byte 4111 of the answer to get: 0x21, not 0xff",
    ),
    "put answers 2": (
        lambda: Changed(Put, 2),
        honest,
        "operations",
        "byte 8 of the answer to put: the number is 2, not 0",
    ),
    "flush has a body": (
        lambda: Changed(FlushPage, body=b"more"),
        honest,
        "operations",
        "byte 0 of the answer to flush page: 4 bytes follow its number, not 0",
    ),
    "no flags": (
        lambda: Changed(PoolFlags, -5),
        honest,
        "abilities",
        "byte 8 of the answer to POOL_FLAGS",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_server_that_breaks_a_rule(name: str, tmp_path: Path) -> None:
    sessions, answers, rule, line = BROKEN[name]
    server = Broken(tmp_path / "s", sessions(), answers)
    result = checked(f"unix:{tmp_path / 's'}")
    server.close()
    assert result.exit_code == 1, result.output
    told = result.output[result.output.index(f"✗ {rule} ") :].splitlines()
    assert line in told[1]


@pytest.mark.parametrize(
    ("target", "code", "line"),
    [
        ("impl", 2, "impl speaks no frames: write cmd:"),
        ("unix:/no/such/socket", 2, "no server answers at /no/such/socket"),
        ("cmd:./no/such/program", 2, "cannot be started"),
        (f"cmd:{sys.executable} -c 0", 1, "HELLO: the"),
        (f"cmd:{shlex.join(['sh', '-c', 'cat; exit'])}", 1, "byte 8 of the answer to HELLO"),
    ],
)
def test_what_is_no_server(target: str, code: int, line: str) -> None:
    result = checked(target)
    assert result.exit_code == code, result.output
    assert line in result.output
    assert "Traceback" not in result.output
