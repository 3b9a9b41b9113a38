"""A server keeps its sessions apart, and holds out against peers of any kind."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.remote.conftest import Served, descriptors, until
from tests.remote.test_frames import bodies
from tmem.conformance.cli.main import main
from tmem.conformance.remote.connection import LostError
from tmem.conformance.remote.store import RemoteStore
from tmem.conformance.server.conversation import Conversation
from tmem.conformance.server.sessions import Limits, Sessions
from tmem.impl import Store
from tmem.model import Adversary
from tmem.model.adversary import backend
from tmem.spec.abi import errors, wire
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.handle import Handle
from tmem.spec.operations import FlushPage, Get, NewPool, Put

PAGE = b"p" * 4096
SLOT = (7, 3)


@contextmanager
def session(served: Served) -> Iterator[RemoteStore]:
    with closing(RemoteStore(served.server)) as store:
        yield store


@contextmanager
def raw(served: Served) -> Iterator[socket.socket]:
    """A connection that sends what a test likes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.connect(str(served.path))
        yield peer


def to_the_end(peer: socket.socket) -> bytes:
    """Everything that the server still sends."""
    found = b""
    while data := peer.recv(1 << 16):
        found += data
    return found


def errno_of(call: Callable[[], object]) -> int | None:
    try:
        call()
    except OSError as error:
        return error.errno
    return None


def test_a_private_pool_is_out_of_reach_of_other_sessions(served: Served) -> None:
    with session(served) as one, session(served) as other:
        pool = one.new_pool(1, PERSIST)
        assert one.put(1, pool, *SLOT, PAGE)
        assert errno_of(lambda: other.get(1, pool, *SLOT)) == errors.ENODEV
        assert other.new_pool(1, PERSIST) == pool, "ids of a session are its own"
        assert other.get(1, pool, *SLOT) is None
        assert one.get(1, pool, *SLOT) == PAGE


def test_shared_pools_meet_by_their_uuid(served: Served) -> None:
    with raw(served) as one, raw(served) as other:
        for peer, tag in ((one, 1), (other, 2)):
            peer.sendall(wire.request(tag, wire.Hello()) + wire.request(tag, NewPool(1, SHARED | PERSIST, 5)))
        one.sendall(wire.request(3, Put(1, Handle(0, *SLOT), PAGE)))
        one.shutdown(socket.SHUT_WR)
        assert to_the_end(one).endswith(wire.answer(3, 1))
        other.sendall(wire.request(4, Get(1, Handle(0, *SLOT))))
        other.shutdown(socket.SHUT_WR)
        assert to_the_end(other).endswith(wire.answer(4, 1, PAGE))


def test_what_the_suite_shares_does_not_meet_what_others_share(served: Served) -> None:
    with session(served) as one, session(served) as other:
        pools = [each.new_pool(1, SHARED | PERSIST, 5) for each in (one, other)]
        assert one.put(1, pools[0], *SLOT, PAGE)
        assert other.get(1, pools[1], *SLOT) is None


def test_the_pools_of_a_session_end_with_its_last_connection(serve: Callable[..., Served]) -> None:
    served = serve("--pools", "1")
    with raw(served) as first:
        first.sendall(wire.request(1, wire.Hello()))
        welcome = wire.read_answer(first.recv(1 << 16))
        with raw(served) as second:
            second.sendall(wire.request(1, wire.Hello(wire.read_welcome(welcome.body).key)))
            second.sendall(wire.request(2, NewPool(1, PERSIST)))
            second.sendall(wire.request(3, Put(1, Handle(0, *SLOT), PAGE)))
            second.shutdown(socket.SHUT_WR)
            assert to_the_end(second).endswith(wire.answer(3, 1))
        first.sendall(wire.request(4, Get(1, Handle(0, *SLOT))))
        first.shutdown(socket.SHUT_WR)
        assert to_the_end(first) == wire.answer(4, 1, PAGE), "the session lives while a connection does"
    assert "0  store pages" in served.stop()


def test_threads_have_connections_of_their_own(served: Served) -> None:
    met = threading.Barrier(8)
    with session(served) as store:
        pool = store.new_pool(1, PERSIST)

        def put(index: int) -> None:
            met.wait()
            for n in range(20):
                assert store.put(1, pool, n, index, PAGE)

        threads = [threading.Thread(target=put, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [store.get(1, pool, n, index) for n in range(20) for index in range(8)] == [PAGE] * 160


@pytest.mark.parametrize(
    ("sent", "errno"),
    [
        (b"\xff\xff\xff\xff", wire.EMSGSIZE),
        (b"\x07\x00\x00\x00", errors.EINVAL),
    ],
)
def test_a_length_that_cannot_be_is_answered_and_ends_the_connection(
    served: Served, sent: bytes, errno: int
) -> None:
    with raw(served) as peer:
        peer.sendall(wire.request(1, wire.Hello()) + sent)
        assert to_the_end(peer).endswith(wire.answer(0, -errno))


@pytest.mark.parametrize(
    ("frame", "errno"),
    [
        (wire.REQUEST.pack(8, 9, 77, 0), wire.ENOSYS),
        (wire.request(9, wire.Hello()), errors.EINVAL),
        (wire.request(9, wire.Hello())[:16] + b"\x02" + wire.request(9, wire.Hello())[17:], errors.EPERM),
        (wire.REQUEST.pack(12, 9, wire.Kind.OPERATION, 1) + b"\4\0\0\0", errors.EINVAL),
        (wire.request(9, Put(1, Handle(0, *SLOT), PAGE + b"x")), errors.ENODEV),
    ],
    ids=["kind", "second hello", "version", "half an operation", "long page"],
)
def test_a_wrong_request_is_answered_and_the_connection_goes_on(
    served: Served, frame: bytes, errno: int
) -> None:
    with raw(served) as peer:
        peer.sendall(wire.request(1, wire.Hello()) + frame + wire.request(2, NewPool(1)))
        peer.shutdown(socket.SHUT_WR)
        assert to_the_end(peer).endswith(wire.answer(9, -errno) + wire.answer(2, 0))


def test_nothing_is_answered_before_hello(served: Served) -> None:
    with raw(served) as peer:
        peer.sendall(wire.request(1, NewPool(1)))
        peer.shutdown(socket.SHUT_WR)
        assert to_the_end(peer) == wire.answer(1, -errors.EINVAL)


def test_half_a_frame_and_a_peer_that_vanishes_leave_nothing_behind(serve: Callable[..., Served]) -> None:
    served = serve()
    with session(served) as store:
        assert store.new_pool(1) == 0
        before = descriptors(served.process.pid)
        for cut in (1, 5, 20, 70, 1000):
            with raw(served) as peer:
                peer.sendall(wire.request(1, wire.Hello()) + wire.request(2, NewPool(1)))
                peer.sendall(wire.request(3, Put(1, Handle(0, *SLOT), PAGE))[:cut])
        until(lambda: descriptors(served.process.pid) == before)
        assert not store.flush_page(1, 0, *SLOT)


def test_a_peer_that_does_not_read_stops_nobody_else(served: Served) -> None:
    with raw(served) as slow, session(served) as other:
        slow.sendall(wire.request(1, wire.Hello()) + wire.request(2, NewPool(1, PERSIST)))
        slow.sendall(wire.request(3, Put(1, Handle(0, *SLOT), PAGE)))
        count = 2_000
        sender = threading.Thread(
            target=lambda: slow.sendall(
                b"".join(wire.request(n, Get(1, Handle(0, *SLOT))) for n in range(count))
            )
        )
        sender.start()
        pool = other.new_pool(1, PERSIST)
        for index in range(100):
            assert other.put(1, pool, 7, index, PAGE)
        found = b""
        size = len(wire.answer(0, 1, PAGE))
        while len(found) < count * size:
            data = slow.recv(1 << 20)
            assert data
            found += data
        sender.join()
        assert found.endswith(wire.answer(count - 1, 1, PAGE))


@pytest.mark.parametrize("count", [100, pytest.param(1_000, marks=pytest.mark.long)])
def test_many_connections(serve: Callable[..., Served], count: int) -> None:
    served = serve("--connections", str(count))
    peers = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(count + 1)]
    try:
        for peer in peers[:-1]:
            peer.connect(str(served.path))
            peer.sendall(wire.request(1, wire.Hello()))
        for peer in peers[:-1]:
            assert wire.read_answer(peer.recv(1 << 16)).number == wire.VERSION
        peers[-1].connect(str(served.path))
        assert not peers[-1].recv(1), "one more is closed"
    finally:
        for peer in peers:
            peer.close()
    with session(served) as store:
        assert store.new_pool(1) == 0


def test_an_idle_connection_is_closed(serve: Callable[..., Served]) -> None:
    with raw(serve("--idle", "0.05")) as peer:
        assert to_the_end(peer) == b""


def test_a_session_has_so_many_pools_and_persistent_pages(serve: Callable[..., Served]) -> None:
    served = serve("--pools", "2", "--pages", "3", "--share", "05")
    with session(served) as store:
        cache, swap = store.new_pool(1), store.new_pool(2, PERSIST)
        assert errno_of(lambda: store.new_pool(3)) == errors.ENOMEM
        assert all(store.put(1, cache, 7, index, PAGE) for index in range(10))
        assert all(store.put(2, swap, 7, index, PAGE) for index in range(3))
        assert store.put(2, swap, 7, 2, b"n" * 4096), "a page may be replaced"
        assert errno_of(lambda: store.put(2, swap, 8, 0, PAGE)) == errors.ENOMEM
        assert errno_of(lambda: store.put(2, swap, 7, 2, PAGE[1:])) == errors.EINVAL
        assert store.get(2, swap, 7, 2) == b"n" * 4096
        assert store.flush_page(2, swap, 7, 0)
        assert store.put(2, swap, 8, 0, PAGE)
        store.destroy_pool(2, swap)
        assert errno_of(lambda: store.new_pool(2, SHARED, 6)) == errors.EPERM


def test_sigterm_ends_the_server_in_order(serve: Callable[..., Served]) -> None:
    served = serve()
    store = RemoteStore(served.server)
    store.new_pool(1)
    said = served.stop()
    assert served.process.returncode == 0
    assert not served.path.exists()
    assert "stopping: 1 connections end" in said
    assert "1  operations total new_pool" in said
    with pytest.raises(LostError, match="the server closed it"):
        store.get(1, 0, *SLOT)


def test_a_server_that_is_killed_is_a_lost_connection(serve: Callable[..., Served]) -> None:
    served = serve()
    store = RemoteStore(served.server)
    pool = store.new_pool(1, PERSIST)
    os.kill(served.process.pid, signal.SIGSTOP)
    thread = threading.Timer(0.05, lambda: os.kill(served.process.pid, signal.SIGKILL))
    thread.start()
    with pytest.raises(LostError):
        store.put(1, pool, *SLOT, PAGE)
    with pytest.raises(LostError):
        store.get(1, pool, *SLOT)
    store.close()


def test_counters_are_told_to_prometheus_and_to_people(serve: Callable[..., Served]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = serve("--counters", f"tcp:{port}")
    with session(served) as store:
        store.new_pool(1)

    def asked(path: str) -> str:
        with socket.create_connection(("127.0.0.1", port)) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            return to_the_end(peer).decode()

    found = asked("/metrics")
    assert '\ntmem_operations_total{operation="new_pool",answer="no"} 1\n' in found
    assert "\n# TYPE tmem_sessions gauge\ntmem_sessions 0\n" in found
    assert "1  operations total new_pool" in asked("/")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "nowhere is no address: the forms are unix:PATH, tcp:PORT and tcp:HOST:PORT."),
        (["unix:/no/such/folder/s"], "cannot listen at /no/such/folder/s: No such file or directory"),
        (["tcp:99999"], "is no address"),
        (["unix:s", "--store", "nothing"], "nothing: there is no such target"),
        (["unix:s", "--budget", "much"], "much is no number of bytes, such as 64M."),
        (["unix:s", "--share", "xyz"], "xyz is no UUID of 128 bits in hexadecimal digits."),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code == 2
    assert line in " ".join(result.output.split())


def test_a_socket_that_is_in_use_is_not_taken_away(served: Served) -> None:
    result = CliRunner().invoke(main, ["serve", f"unix:{served.path}"])
    assert result.exit_code == 2
    assert "Address already in use" in result.output


@given(st.lists(st.binary(max_size=80) | st.builds(wire.request, st.just(1), bodies), max_size=12))
def test_no_bytes_break_a_conversation_or_reach_another(parts: list[bytes]) -> None:
    sessions = Sessions(Store(page_size=100), Limits(pools=4))
    good, bad = Conversation(sessions), Conversation(sessions)
    page = b"p" * 100
    asked = (wire.Hello(), NewPool(1, PERSIST), Put(1, Handle(0, *SLOT), page))
    for body in asked:
        good.received(wire.request(1, body))
    good.answers(10)
    for part in (wire.request(1, wire.Hello()), *parts):
        bad.received(part)
        bad.answers(100)
        if bad.misread:
            break
    bad.end()
    good.received(wire.request(2, Get(1, Handle(0, *SLOT))))
    assert good.answers(10) == (wire.answer(2, 1, page), False)
    good.received(wire.request(3, wire.Close()))
    assert good.answers(10) == (wire.answer(3, 0), False)
    assert not sessions.open


def test_a_store_that_fails_is_told_as_such() -> None:
    class Broken(Adversary):
        def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
            raise RuntimeError("a defect")

    conversation = Conversation(Sessions(Broken("keep")))
    for body in (wire.Hello(), NewPool(1), FlushPage(1, Handle(0, *SLOT))):
        conversation.received(wire.request(5, body))
    assert conversation.answers(10)[0].endswith(wire.answer(5, -wire.EIO))


def test_one_connection_has_no_key() -> None:
    talk = Conversation(Sessions(backend("keep"), joining=False))
    talk.received(wire.request(1, wire.Hello()))
    about = wire.read_welcome(wire.read_answer(talk.answers(1)[0]).body)
    assert not about.joining
    assert about.key == wire.NEW_SESSION
