"""How requests and answers follow each other, whole, in pieces, or not to the end."""

from __future__ import annotations

from collections.abc import Callable

from tmem.conformance.remote.dialogue import Dialogue, Peer, one_of
from tmem.conformance.remote.rules.words import (
    BATCH,
    CLIENT,
    FLUSHED,
    LONGEST,
    STORED,
    UNREAD,
    hit,
    page_of,
    pool_of,
)
from tmem.spec.abi import errors, wire
from tmem.spec.handle import Handle
from tmem.spec.operations import FlushPage, Get, NewPool, Put


def lengths(peer: Peer) -> str | None:
    """A length that no request can have answers EINVAL or EMSGSIZE with tag 0, and ends the connection."""
    with peer.dialogue() as dialogue:
        longest = dialogue.hello().longest
    tried = [(0, errors.EINVAL), (7, errors.EINVAL), (0xFFFFFFFF, wire.EMSGSIZE)]
    if longest < LONGEST:
        tried.append((longest - wire.LENGTH.size + 1, wire.EMSGSIZE))
    for length, errno in tried:
        with peer.dialogue() as dialogue:
            dialogue.hello()
            dialogue.line.send(wire.LENGTH.pack(length))
            dialogue.expect(f"a length of {length}", 0, one_of(-errno))
            dialogue.ended(f"a length of {length}")
    return None


def order(peer: Peer) -> str | None:
    """Requests that are sent at once are answered in the order in which they came, each with its tag."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        _batch(dialogue, size, dialogue.line.send)
    return None


def pieces(peer: Peer) -> str | None:
    """Requests that come in pieces, cut anywhere, are answered as if they came whole."""

    def send(data: bytes) -> None:
        at, step = 0, 1
        while at < len(data):
            dialogue.line.send(data[at : at + step])
            at, step = at + step, step % 97 + 1

    with peer.dialogue() as dialogue:
        tag = dialogue.tag()
        for byte in wire.request(tag, wire.Hello()):
            dialogue.line.send(bytes([byte]))
        dialogue.line.answer()
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        _batch(dialogue, size, send)
    return None


def _batch(dialogue: Dialogue, size: int, send: Callable[[bytes], None]) -> None:
    pool = pool_of(dialogue)
    sent, wanted = [], []
    for n in range(BATCH // 4):
        slot, page = Handle(pool, n, n), page_of(size, n)
        for what, body, want in (
            ("put", Put(CLIENT, slot, page), STORED),
            ("get", Get(CLIENT, slot), hit(page)),
            ("flush page", FlushPage(CLIENT, slot), FLUSHED),
            ("get of nothing", Get(CLIENT, slot), one_of(0, -errors.EEMPTY)),
        ):
            tag = dialogue.tag()
            sent.append(wire.request(tag, body))
            wanted.append((f"request {len(sent)} of {BATCH}, {what}", tag, want))
    send(b"".join(sent))
    for what, tag, want in wanted:
        dialogue.expect(what, tag, want)


def slow_reader(peer: Peer) -> str | None:
    """A peer that reads nothing loses no answer, and others are answered meanwhile."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        slot, page = Handle(pool_of(dialogue), 7, 3), page_of(size)
        tags, asked = [], 0
        frame = b""
        while asked < UNREAD:
            tag = dialogue.tag()
            frame = wire.request(tag, Put(CLIENT, slot, page))
            went = dialogue.line.push(frame)
            tags.append(tag)
            asked += size
            if went < len(frame):
                frame = frame[went:]
                break
        else:
            frame = b""
        with peer.dialogue() as other:
            other.hello()
        dialogue.line.send(frame)
        for n, tag in enumerate(tags, 1):
            dialogue.expect(f"put {n} of {len(tags)}, which were read late", tag, STORED)
    return None


def half_closed(peer: Peer) -> str | None:
    """A peer that sends no more is answered what it has sent; then the connection ends."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        slot, page = Handle(pool_of(dialogue), 7, 3), page_of(size)
        put, get = dialogue.tag(), dialogue.tag()
        dialogue.line.send(wire.request(put, Put(CLIENT, slot, page)) + wire.request(get, Get(CLIENT, slot)))
        dialogue.line.shut()
        dialogue.expect("put", put, STORED)
        dialogue.expect("get", get, hit(page))
        dialogue.ended("the last answer to a peer that sends no more")
    return None


def half_frame(peer: Peer) -> str | None:
    """Half a request is not answered, and hurts no other connection."""
    whole = wire.request(1, NewPool(CLIENT))
    for size in (1, 3, 4, wire.REQUEST.size, len(whole) - 1):
        with peer.dialogue() as dialogue:
            dialogue.hello()
            dialogue.line.send(whole[:size])
            dialogue.line.shut()
            dialogue.ended(f"the first {size} bytes of a request")
    with peer.dialogue() as dialogue:
        dialogue.hello()
        dialogue.line.send(whole[:-1])
    with peer.dialogue() as dialogue:
        dialogue.hello()
    return None
