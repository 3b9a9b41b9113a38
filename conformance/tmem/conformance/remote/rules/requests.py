"""What each request is answered, right or wrong."""

from __future__ import annotations

from tmem.conformance.remote.dialogue import Peer, Want, one_of
from tmem.conformance.remote.rules.words import (
    BAD,
    CLIENT,
    FLAG,
    FLUSHED,
    LONGEST,
    NOTHING,
    STORED,
    TAKEN,
    UNKNOWN,
    hit,
    page_of,
    pool_of,
)
from tmem.spec.abi import errors, wire
from tmem.spec.abi.layouts import OP_SIZE
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim


def before_hello(peer: Peer) -> str | None:
    """A request before HELLO answers EINVAL, and the connection goes on."""
    with peer.dialogue() as dialogue:
        dialogue.ask("new pool before HELLO", NewPool(CLIENT), BAD)
        dialogue.ask("CLOSE before HELLO", wire.Close(), BAD)
        dialogue.hello()
    return None


def wrong_hello(peer: Peer) -> str | None:
    """HELLO of another version answers EPERM, one that is wrong EINVAL; the connection goes on."""
    with peer.dialogue() as dialogue:
        for what, body, errno in (
            ("HELLO of version 99", wire.OPENING.pack(wire.MAGIC, 99, 0, bytes(16)), errors.EPERM),
            (
                "HELLO with another magic",
                wire.OPENING.pack(b"TMEM", wire.VERSION, 0, bytes(16)),
                errors.EINVAL,
            ),
            ("HELLO that is short", wire.MAGIC, errors.EINVAL),
        ):
            dialogue.ask_raw(what, wire.Kind.HELLO, body, one_of(-errno), client=0)
        dialogue.hello()
        dialogue.ask("HELLO in a session", wire.Hello(), BAD)
    return None


def operations(peer: Peer) -> str | None:
    """Each operation answers a number that it may answer, and only a get that hits has a body, the page."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        pool, page = pool_of(dialogue), page_of(size)
        slot = Handle(pool, (1 << 192) - 2, 0xFFFFFFFE)
        dialogue.ask("put", Put(CLIENT, slot, page), STORED)
        dialogue.ask("get", Get(CLIENT, slot), hit(page))
        dialogue.ask("get of nothing", Get(CLIENT, Handle(pool, 8, 0)), one_of(0, -errors.EEMPTY))
        dialogue.ask("flush page", FlushPage(CLIENT, slot), FLUSHED)
        dialogue.ask("flush object", FlushObject(CLIENT, pool, slot.oid), FLUSHED)
        dialogue.ask("destroy pool", DestroyPool(CLIENT, pool), FLAG)
        dialogue.ask("get from no pool", Get(CLIENT, slot), NOTHING)
    return None


def abilities(peer: Peer) -> str | None:
    """RECLAIM and POOL_FLAGS work where HELLO says so, and answer ENOSYS where it does not."""
    with peer.dialogue() as dialogue:
        able = dialogue.hello().abilities
        pool = pool_of(dialogue)
        went = Want(lambda number: 0 <= number <= 3, "0 to 3")
        told = Want(lambda number: 0 <= number < 1 << 32, "flags of 32 bits")
        dialogue.ask("RECLAIM", Reclaim(3), went if "reclaim" in able else UNKNOWN)
        dialogue.ask("POOL_FLAGS", PoolFlags(CLIENT, pool), told if "pool_flags" in able else UNKNOWN)
    return None


def wrong_requests(peer: Peer) -> str | None:
    """An unknown kind answers ENOSYS, a body that is none EINVAL; the connection goes on."""
    with peer.dialogue() as dialogue:
        welcome = dialogue.hello()
        pool = pool_of(dialogue)
        able, either = welcome.abilities, one_of(-errors.EINVAL, -wire.ENOSYS)
        operation = wire.request(0, FlushPage(CLIENT, Handle(pool, 7, 3)))[wire.REQUEST.size :]
        unknown = (99).to_bytes(4, "little") + operation[4:]
        for what, kind, body, want in (
            ("kind 99", 99, b"", UNKNOWN),
            ("a tmem_op that is short", wire.Kind.OPERATION, operation[:-1], BAD),
            ("an OPERATION without a tmem_op", wire.Kind.OPERATION, b"", BAD),
            ("command 99", wire.Kind.OPERATION, unknown, BAD),
            ("flush page with a page", wire.Kind.OPERATION, operation + bytes(welcome.page_size), BAD),
            ("CLOSE with a body", wire.Kind.CLOSE, b"more", BAD),
            ("RECLAIM that is short", wire.Kind.RECLAIM, b"one", BAD if "reclaim" in able else either),
            (
                "POOL_FLAGS that is long",
                wire.Kind.POOL_FLAGS,
                bytes(5),
                BAD if "pool_flags" in able else either,
            ),
        ):
            dialogue.ask_raw(what, kind, body, want)
        dialogue.ask("flush page", FlushPage(CLIENT, Handle(pool, 7, 3)), FLUSHED)
    return None


def page_lengths(peer: Peer) -> str | None:
    """A page of another length than the store's answers EINVAL, and changes nothing."""
    with peer.dialogue() as dialogue:
        size = dialogue.hello().page_size
        slot, page = Handle(pool_of(dialogue), 7, 3), page_of(size)
        dialogue.ask("put", Put(CLIENT, slot, page), STORED)
        for wrong in (b"", page[:-1]):
            dialogue.ask(f"put of {len(wrong)} bytes", Put(CLIENT, slot, wrong), BAD)
        dialogue.ask("get", Get(CLIENT, slot), hit(page))
    return None


def longest_request(peer: Peer) -> str | None:
    """The longest request that HELLO names is taken."""
    with peer.dialogue() as dialogue:
        longest = dialogue.hello().longest
        if longest > LONGEST:
            return f"requests may have {longest:,} bytes"
        slot = Handle(pool_of(dialogue), 7, 3)
        page = bytes(longest - wire.REQUEST.size - OP_SIZE)
        dialogue.ask("the longest put", Put(CLIENT, slot, page), TAKEN)
        dialogue.ask("flush page", FlushPage(CLIENT, slot), FLUSHED)
    return None
