"""Stores in other processes are judged as those in this one."""

from __future__ import annotations

import shlex
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.remote.conftest import TMEM, Served, descriptors
from tests.run.short_run import VOLUME, follow
from tmem.conformance.events import Found
from tmem.conformance.faults import FAULTS
from tmem.conformance.remote.connection import ProtocolError
from tmem.conformance.remote.server import server
from tmem.conformance.remote.store import RemoteStore
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError
from tmem.spec.abi import errors, wire

STREAMS = "cmd:" + shlex.join([*TMEM, "serve", "-", "--store"])
FAULTY = "py:tmem.conformance.faults.targets:"
TEN = (
    "destroy-ignored",
    "flush-page-ignored",
    "hit-not-exclusive",
    "trailing-zeroes-not-written",
    "key-by-xor",
    "object-id-low-word",
    "put-raises-memory-error",
    "bad-put-fails",
    "failed-duplicate-keeps-old",
    "flush-object-takes-first-only",
)


def blamed(target: str, clause: str) -> bool:
    """Whether a run blames this clause."""
    with closing(check(Request(target, scale=0.05, hang_after=60.0), VOLUME)) as events:
        return any(isinstance(event, Found) and event.finding.clause == clause for event in events)


def test_a_program_that_conforms_passes() -> None:
    _, summary = follow(f"{STREAMS} model:random", scale=0.01, hang_after=60.0)
    assert not summary.findings
    assert summary.operations > 1_000


@pytest.mark.parametrize("kind", ["cmd", "unix"])
@pytest.mark.parametrize("fault", [TEN[0], *(pytest.param(name, marks=pytest.mark.long) for name in TEN[1:])])
def test_a_fault_is_found_by_the_same_clause(
    kind: str, fault: str, serve: Callable[..., Served], tmp_path: Path
) -> None:
    store = f"{FAULTY}{fault.replace('-', '_')}"
    target = f"{STREAMS} {store}" if kind == "cmd" else f"unix:{serve('--store', store).path}"
    assert blamed(target, FAULTS[fault].clauses[0])


def test_a_program_is_used_again() -> None:
    programs = server("cmd", f"{STREAMS[4:]} model:keep")
    for _ in range(20):
        store = RemoteStore(programs)
        assert store.new_pool(1) == 0
        store.close()
    assert len(programs._idle) == 1


def test_closing_a_session_gives_its_connections_back(served: Served) -> None:
    before = descriptors(served.process.pid)
    for _ in range(5):
        store = RemoteStore(served.server)
        threads = [threading.Thread(target=store.new_pool, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
    second = RemoteStore(served.server)
    second.close()
    while descriptors(served.process.pid) > before:
        pass


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("cmd:./no/such/program", "./no/such/program cannot be started: No such file or directory"),
        ("cmd:", "which program? Write cmd:./program args"),
        ("cmd:'", "is no command: No closing quotation"),
        (f"cmd:{sys.executable} -c 0", "the connection was lost: the program exited with code 0"),
        (f"cmd:{sys.executable} -c 'import os; os.abort()'", "the program died of SIGABRT"),
        ("cmd:cat", "byte 20 of the answer to HELLO: it has at least 32 bytes, not 20"),
        ("unix:/no/such/socket", "no server answers at /no/such/socket: No such file or directory"),
        ("tcp:nowhere", "nowhere is no address: the form is tcp:HOST:PORT"),
        ("tcp:127.0.0.1:9", "no server answers at 127.0.0.1:9: Connection refused"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_in_one_line(target: str, line: str) -> None:
    with pytest.raises(RunError) as error:
        follow(target)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def answering(tmp_path: Path, answers: Callable[[wire.Request], bytes]) -> RemoteStore:
    """A session with a server that answers as a test says."""
    path = str(tmp_path / "s")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen()

    def work() -> None:
        peer, _ = listening.accept()
        with peer, listening, suppress(OSError):
            while head := peer.recv(4, socket.MSG_WAITALL):
                rest = peer.recv(wire.LENGTH.unpack(head)[0], socket.MSG_WAITALL)
                peer.sendall(answers(wire.read_request(head + rest)))

    threading.Thread(target=work, daemon=True).start()
    return RemoteStore(server("unix", path))


WELCOME = wire.welcome(wire.Welcome(4096, frozenset(), False, 4164, bytes(16)))


@pytest.mark.parametrize(
    ("tag", "number", "body", "line"),
    [
        (1, 1, b"", "byte 4 of an answer: its tag is"),
        (0, 2, b"", "byte 8 of an answer is 2, not 1, 0 or an error"),
        (0, 1, b"more", "byte 16 of an answer: 4 bytes follow it, and none belong there"),
        (0, 1, bytes(1 << 17), "byte 0 of an answer: 131084 is no length of one"),
    ],
)
def test_the_first_wrong_byte_of_an_answer_is_named(
    tag: int, number: int, body: bytes, line: str, tmp_path: Path
) -> None:
    def answers(request: wire.Request) -> bytes:
        if isinstance(request.body, wire.Hello):
            return wire.answer(request.tag, wire.VERSION, WELCOME)
        return wire.answer(request.tag + tag, number, body)

    store = answering(tmp_path, answers)
    with pytest.raises(ProtocolError, match=line):
        store.flush_page(1, 0, 7, 3)
    store.close()


def test_arguments_that_no_frame_carries_are_refused_as_the_contract_says(served: Served) -> None:
    store = RemoteStore(served.server)
    pool = store.new_pool(1)
    calls: list[tuple[Callable[[], object], int]] = [
        (lambda: store.get(1, pool, 1 << 192, 0), errors.EINVAL),
        (lambda: store.get(1, pool, 0, -1), errors.EINVAL),
        (lambda: store.get(1 << 16, pool, 0, 0), errors.EINVAL),
        (lambda: store.get(1, 1 << 40, 0, 0), errors.ENODEV),
        (lambda: store.new_pool(1, 1 << 32), errors.EPERM),
        (lambda: store.new_pool(1, 2, 1 << 128), errors.EINVAL),
    ]
    for call, errno in calls:
        with pytest.raises(OSError, match=errors.name(errno)) as error:
            call()
        assert error.value.errno == errno
    with pytest.raises(ValueError, match="a page has 4096 bytes"):
        store.put(1, pool, 0, 0, bytes(1 << 16))
    with pytest.raises(TypeError, match="a page is bytes, not int"):
        store.put(1, pool, 0, 0, 4096)  # type: ignore[arg-type]  # the point of the test
    store.close()
