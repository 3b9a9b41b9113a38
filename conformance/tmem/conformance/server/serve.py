"""Serves a store until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tmem.conformance.server import metrics
from tmem.conformance.server.conversation import Conversation
from tmem.conformance.server.listen import SLICE, UNREAD, Allowed, Peers, tcp, unix
from tmem.conformance.server.sessions import Limits, Sessions
from tmem.spec.backend import Backend

LOOPBACK: Final = "127.0.0.1"
BACKLOG: Final = 1024
GRACE: Final = 5.0
"""Seconds in which peers read the answers that they still get after the server was told to stop."""
_STOP: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a path, or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the address of `unix:PATH`, `tcp:HOST:PORT` or, on this machine alone, `tcp:PORT`.

        Raises ValueError, in one line.

        >>> Address.of("tcp:7070")
        Address(path='', host='127.0.0.1', port=7070)
        """
        scheme, _, rest = text.partition(":")
        if scheme == "unix" and rest:
            return cls(path=rest)
        host, colon, port = rest.rpartition(":")
        host = host if colon else LOOPBACK
        if scheme != "tcp" or not host or not port.isdecimal() or int(port) > 0xFFFF:
            raise ValueError(f"{text} is no address: the forms are unix:PATH, tcp:PORT and tcp:HOST:PORT")
        return cls(host=host.strip("[]"), port=int(port))

    def open(self) -> socket.socket:
        """A socket that is bound there. Raises AddressError."""
        return unix(self.path) if self.path else tcp(self.host, self.port)


def serve(
    store: Backend,
    listening: socket.socket,
    limits: Limits,
    allowed: Allowed,
    say: Callable[[str], None],
    counters: socket.socket | None = None,
) -> None:
    """Answer the peers of a bound socket until SIGTERM or SIGINT, then close the store.

    At a second signal the connections end at once. `say` is given lines for people; `counters` is a socket at
    which HTTP clients get the counters: `/metrics` for Prometheus, any other path for people.
    """
    _raise_descriptors(allowed.connections)
    peers = Peers(Sessions(store, limits), allowed, say)
    try:
        asyncio.run(_serve(peers, listening, say, counters))
    finally:
        store.close()
        say(metrics.text(peers).rstrip())


def serve_streams(store: Backend, limits: Limits, reading: int, writing: int) -> str:
    """Answer the one peer of two descriptors until it sends no more, then close the store.

    Returns why the conversation ended early, in words; empty where the peer ended it.
    """
    conversation = Conversation(Sessions(store, limits, joining=False))
    with suppress(BrokenPipeError):
        while not conversation.misread and (data := os.read(reading, UNREAD)):
            conversation.received(data)
            more = True
            while more:
                answers, more = conversation.answers(SLICE)
                while answers:
                    answers = answers[os.write(writing, answers) :]
    conversation.end()
    store.close()
    return conversation.misread


async def _serve(
    peers: Peers, listening: socket.socket, say: Callable[[str], None], counters: socket.socket | None
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: say(str(context.get("exception") or context["message"])))
    stop, now = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (now if stop.is_set() else stop).set()

    for each in _STOP:
        loop.add_signal_handler(each, signalled)
    if listening.family == socket.AF_UNIX:
        path = listening.getsockname()
        server = await loop.create_unix_server(peers.peer, sock=listening, backlog=BACKLOG)
        say(f"listening at unix:{path}")
    else:
        path = ""
        server = await loop.create_server(peers.peer, sock=listening, backlog=BACKLOG)
        say("listening at tcp:{}:{}".format(*listening.getsockname()[:2]))
    asked = None
    if counters is not None:
        asked = await asyncio.start_server(partial(_counters, peers), sock=counters)
        say("counters at http://{}:{}/metrics".format(*counters.getsockname()[:2]))
    await stop.wait()
    for listener in (server, asked):
        if listener is not None:
            listener.close()
    if path:
        Path(path).unlink(missing_ok=True)
    say(f"stopping: {len(peers.all)} connections end")
    for peer in list(peers.all):
        peer.end()
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            while peers.all and not now.is_set():
                await asyncio.sleep(0.01)


async def _counters(peers: Peers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(GRACE):
            asked = await reader.readuntil(b"\r\n\r\n")
            is_metrics = asked.split(b" ", 2)[1:2] == [b"/metrics"]
            body = (metrics.prometheus(peers) if is_metrics else metrics.text(peers)).encode()
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
    writer.close()


def _raise_descriptors(connections: int) -> None:
    """Ask the system for descriptors for all connections, and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted: Any = max(soft, connections + 64)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
