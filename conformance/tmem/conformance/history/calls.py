"""How a call is kept: as the flat call of the Backend protocol, with its answer and two times."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple, TypeAlias

from tmem.spec.answers import declared, event, refused
from tmem.spec.handle import Handle, in_range
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does

Page: TypeAlias = Hashable
"""A page, or whatever stands for it: pages are compared and hashed, never looked into."""


class Call(NamedTuple):
    """One operation of a history, from invocation to response.

    `op` is the Backend's method and `args` what it was called with: put(client, pool, oid, index, page),
    get and flush_page(client, pool, oid, index), flush_object(client, pool, oid), new_pool(client, flags,
    uuid), destroy_pool and pool_flags(client, pool), reclaim(pages). Times are of one clock, in any unit;
    of two calls the one comes first whose `end` is less than the other's `begin`. `end` is None where the
    call never returned.
    """

    thread: int
    begin: float
    end: float | None
    op: str
    args: tuple[Page, ...]
    answer: object

    def __str__(self) -> str:
        answer = "…" if self.end is None else brief(self.answer)
        return f"{self.op}({', '.join(map(brief, self.args))}) → {answer}"


class Maybe(NamedTuple):
    """The answer of a call that may have taken effect before its end, or not at all."""

    answer: object


OPERATIONS: Final[dict[str, int]] = {
    "put": 5,
    "get": 4,
    "flush_page": 4,
    "flush_object": 3,
    "new_pool": 3,
    "destroy_pool": 2,
    "pool_flags": 2,
    "reclaim": 1,
}
"""The operations of a history, with the number of their arguments."""


def brief(value: object) -> str:
    """A value in a few characters: of long pages their first bytes.

    >>> brief(b"page" * 1024), brief(None), brief(7)
    ("b'pagepagepage…'", 'None', '7')
    """
    if isinstance(value, bytes | str) and len(value) > 16:
        return f"{value[:12]!r}"[:-1] + "…" + f"{value[:12]!r}"[-1]
    return str(value) if isinstance(value, Raised) else repr(value)


@lru_cache(4096)
def does(op: str, answer: Raised) -> Does | None:
    """What an exception tells of the operation's effect; None where it tells nothing.

    >>> does("put", Raised("OSError", 12)), does("get", Raised("OSError", 1001))
    (<Does.REFUSED: 'put failed'>, <Does.MISS: 'miss'>)
    >>> does("put", Raised("OSError", 19)), does("put", Raised("KeyError"))
    (<Does.NOTHING: 'changed nothing'>, None)
    """
    operation = _TEMPLATES[op]
    return event(operation, answer).does if declared(operation, answer) or refused(answer) else None


def effect(call: Call) -> Does | None:
    """What the answer of a call says that it did; None where nothing is known.

    >>> effect(Call(0, 1, 2, "put", (1, 0, 7, 3, "page"), True))
    <Does.STORED: 'put stored'>
    """
    if call.end is None or type(call.answer) is Maybe:
        return None
    if type(call.answer) is Raised:
        return does(call.op, call.answer)
    if call.op == "get":
        return Does.MISS if call.answer is None else Does.HIT
    if call.op in ("new_pool", "pool_flags", "reclaim"):
        return Does.NOTHING
    if type(call.answer) is not bool:
        return None
    if call.op == "put":
        return Does.STORED if call.answer else Does.REFUSED
    return Does.ENDED if call.op == "destroy_pool" else Does.FLUSHED


def denied(call: Call) -> bool:
    """Whether a flush was denied, so that there was a moment at which it found no pool (see `unflushed`).

    >>> flush = Call(0, 1, 2, "flush_page", (1, 0, 7, 3), True)
    >>> denied(flush), denied(flush._replace(answer=Raised("OSError", 19)))
    (False, True)
    """
    if type(call.answer) is not Raised or effect(call) is not Does.NOTHING:
        return False
    match call.op, call.args:
        case "flush_page", (_, _, int(oid), int(index)):
            return in_range(oid, index)
        case "flush_object", (_, _, int(oid)):
            return in_range(oid, 0)
    return False


def until(call: Call) -> float:
    """The time up to which the call may have taken effect: without end where nothing is known of it.

    >>> put = Call(0, 1, 2, "put", (1, 0, 7, 3, "page"), True)
    >>> until(put), until(put._replace(end=None)), until(put._replace(answer=Raised("KeyError")))
    (2, inf, inf)
    """
    if call.end is None or (effect(call) is None and type(call.answer) is not Maybe):
        return inf
    return call.end


def perhaps(call: Call) -> Call:
    """The same call, which need not have happened."""
    if effect(call) is None:
        return call
    if effect(call) is Does.REFUSED:  # it may have emptied the slot, and certainly has not stored the page
        call = call._replace(op="flush_page", args=call.args[:4])
    return call._replace(answer=Maybe(call.answer))


_TEMPLATES: Final[dict[str, Operation]] = {
    "put": Put(0, Handle(0, 0, 0), b""),
    "get": Get(0, Handle(0, 0, 0)),
    "flush_page": FlushPage(0, Handle(0, 0, 0)),
    "flush_object": FlushObject(0, 0, 0),
    "new_pool": NewPool(0),
    "destroy_pool": DestroyPool(0, 0),
    "pool_flags": PoolFlags(0, 0),
    "reclaim": Reclaim(0),
}


def call_of(thread: int, begin: float, end: float | None, operation: Operation, answer: Answer) -> Call:
    """The call of an operation of the spec.

    >>> str(call_of(0, 1, 2, Get(1, Handle(0, 7, 3)), b"page"))
    "get(1, 0, 7, 3) → b'page'"
    """
    match operation:
        case Put(client, h, page):
            return Call(thread, begin, end, "put", (client, h.pool, h.oid, h.index, page), answer)
        case Get(client, h):
            return Call(thread, begin, end, "get", (client, h.pool, h.oid, h.index), answer)
        case FlushPage(client, h):
            return Call(thread, begin, end, "flush_page", (client, h.pool, h.oid, h.index), answer)
        case FlushObject(client, pool, oid):
            return Call(thread, begin, end, "flush_object", (client, pool, oid), answer)
        case NewPool(client, flags, uuid):
            return Call(thread, begin, end, "new_pool", (client, flags, uuid), answer)
        case DestroyPool(client, pool):
            return Call(thread, begin, end, "destroy_pool", (client, pool), answer)
        case PoolFlags(client, pool):
            return Call(thread, begin, end, "pool_flags", (client, pool), answer)
        case Reclaim(pages):
            return Call(thread, begin, end, "reclaim", (pages,), answer)
