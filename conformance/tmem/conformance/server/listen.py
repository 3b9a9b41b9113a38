"""Connections to a store that is served: reads frames, answers them, and keeps peers within limits."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tmem.conformance.server.conversation import Conversation
from tmem.conformance.server.sessions import Sessions

UNREAD: Final = 1 << 20
"""Bytes that a peer has sent without an answer, or not read, from which on it must wait."""
SLICE: Final = 64
"""Requests of one connection that are answered before others have their turn."""


class AddressError(Exception):
    """The server cannot listen there; the one line says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the peers of a server may do together."""

    connections: int = 1024
    """At the same time; one more is closed at once."""
    idle: float | None = None
    """Seconds without a request after which a connection is closed."""


class Peers:
    """The connections that there are."""

    def __init__(self, sessions: Sessions, allowed: Allowed, log: Callable[[str], None]) -> None:
        self.sessions = sessions
        self.allowed = allowed
        self.log = log
        self.all: set[Peer] = set()
        self.accepted = self.refused = self.misread = 0
        """Connections that were taken, were one too many, and were ended for what they sent."""

    def peer(self) -> Peer:
        """The protocol of a new connection."""
        return Peer(self)


class Peer(asyncio.Protocol):
    """One connection. Its requests are answered a slice at a time, so that others have their turn."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._conversation = Conversation(peers.sessions)
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._goes_on = False
        self._ended = False
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close it where there are too many."""
        assert isinstance(transport, asyncio.Transport)
        if len(self._peers.all) >= self._peers.allowed.connections:
            self._peers.refused += 1
            transport.abort()
            return
        self._transport = transport
        self._peers.accepted += 1
        self._peers.all.add(self)
        transport.set_write_buffer_limits(UNREAD)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the session."""
        self._peers.all.discard(self)
        self._transport = None
        if self._idle is not None:
            self._idle.cancel()
        self._conversation.end()

    def data_received(self, data: bytes) -> None:
        """Take the bytes, and answer what is whole."""
        self._conversation.received(data)
        self._watch()
        if not self._goes_on:
            self._work()

    def eof_received(self) -> bool:
        """The peer sends no more: it is answered what it has sent, and then the connection ends."""
        self._ended = True
        if not self._goes_on:
            self._work()
        return True

    def pause_writing(self) -> None:
        """The peer reads too slowly: its requests wait."""
        self._full = True

    def resume_writing(self) -> None:
        """The peer has read."""
        self._full = False
        if not self._goes_on:
            self._work()

    def end(self) -> None:
        """Close the connection, once its answers are sent."""
        if self._transport is not None:
            self._transport.close()

    def _work(self) -> None:
        """Answer a slice of the requests; the rest have their turn after other peers."""
        self._goes_on = False
        transport, conversation = self._transport, self._conversation
        if transport is None or transport.is_closing():
            return
        if not self._full:
            answers, self._goes_on = conversation.answers(SLICE)
            transport.write(answers)
        if self._goes_on:
            asyncio.get_running_loop().call_soon(self._work)
        elif conversation.misread:
            self._peers.misread += 1
            self._peers.log(f"a connection ends: {conversation.misread}")
            transport.close()
        elif self._ended and not self._full:
            transport.close()
        elif not self._ended and (self._full or conversation.waiting > UNREAD):
            transport.pause_reading()
        elif not self._ended:
            transport.resume_reading()

    def _watch(self) -> None:
        """Start the time without a request anew."""
        if self._peers.allowed.idle is None:
            return
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._peers.allowed.idle, self.end)


def unix(path: str) -> socket.socket:
    """A socket at a path that only this user can reach; one that nobody listens at any more is replaced."""
    with suppress(OSError):
        if stat.S_ISSOCK(os.stat(path).st_mode) and not _answers(path):
            os.unlink(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(path)
    except OSError as error:
        made.close()
        raise AddressError(f"{path}: {error.strerror}") from error
    finally:
        os.umask(before)
    return made


def tcp(host: str, port: int) -> socket.socket:
    """A socket at an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise AddressError(f"{host}:{port}: {error.strerror or error}") from error
    return made


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        found = tried.connect_ex(path)
    return found not in (errno.ECONNREFUSED, errno.ENOENT)
