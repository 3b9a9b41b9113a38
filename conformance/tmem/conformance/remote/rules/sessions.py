"""Where sessions begin and end."""

from __future__ import annotations

from tmem.conformance.remote.dialogue import Peer, WrongError, one_of
from tmem.conformance.remote.rules.words import (
    BAD,
    CLIENT,
    NOTHING,
    STORED,
    hit,
    page_of,
    pool_of,
)
from tmem.conformance.remote.server import Program
from tmem.spec.abi import errors, wire
from tmem.spec.handle import Handle
from tmem.spec.operations import Get, Put


def hello(peer: Peer) -> str | None:
    """HELLO is answered with the version and what the store is."""
    with peer.dialogue() as dialogue:
        dialogue.hello()
    return None


def close(peer: Peer) -> str | None:
    """CLOSE ends the session with its pools, and the connection may begin another."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        slot = Handle(pool_of(dialogue), 7, 3)
        dialogue.ask("put", Put(CLIENT, slot, page_of(size)), STORED)
        dialogue.ask("CLOSE", wire.Close(), one_of(0))
        dialogue.ask("get after CLOSE", Get(CLIENT, slot), BAD)
        dialogue.hello()
        dialogue.ask("get in the next session", Get(CLIENT, slot), NOTHING)
        pool_of(dialogue)
    return None


def joining(peer: Peer) -> str | None:
    """A connection that joins a session by its key reaches its pools; a key of no session answers EPERM."""
    with peer.dialogue() as first:
        welcome = first.hello()
        if not welcome.joining:
            return "it takes one connection"
        if isinstance(peer.server, Program):
            raise WrongError("byte 20 of the answer to HELLO: bit 2 is set, but a program has one connection")
        slot, page = Handle(pool_of(first), 7, 3), page_of(welcome.page_size)
        with peer.dialogue() as second, peer.dialogue() as stranger:
            second.hello(welcome.key)
            second.ask("put of a connection that joined", Put(CLIENT, slot, page), STORED)
            wrong = bytes(each ^ 0xFF for each in welcome.key)
            stranger.ask("HELLO with the key of no session", wire.Hello(wrong), one_of(-errors.EPERM))
            stranger.hello()
            stranger.ask("get of another session's page", Get(CLIENT, slot), NOTHING)
        first.ask("get by the session's other connection", Get(CLIENT, slot), hit(page))
    return None
