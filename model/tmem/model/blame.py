"""Which clause a wrong answer breaks, and how to say it.

Pages in checks are unmistakable, so the clause follows from where the returned page came from: what
ended it, whose slot it belongs to, or that nobody ever put it.
"""

from __future__ import annotations

from typing import Final

from tmem.model.origin import Origin, foreign, same_pool
from tmem.model.pools import Member
from tmem.model.record import Record
from tmem.model.violation import Violation
from tmem.spec.abi.flags import describe, objection
from tmem.spec.clauses.puts import copied
from tmem.spec.handle import POOL_BITS
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
from tmem.spec.slot import Kind

_DECLARED: Final[dict[type[Operation], str]] = {
    **dict.fromkeys((Put, FlushPage, FlushObject, DestroyPool), "a bool"),
    **dict.fromkeys((NewPool, PoolFlags, Reclaim), "an int"),
    Get: "bytes or None",
}
"""The types that answers are declared to have."""


def undeclared(record: Record, operation: Operation, answer: Answer) -> Violation:
    """An answer of the wrong type, or an exception that the ABI does not have."""
    allowed = f"{_DECLARED[type(operation)]}, or OSError with an errno of the ABI"
    if isinstance(operation, Reclaim) and type(answer) is int:
        allowed = f"a number of pages from 0 to {operation.pages}"
    return Violation("TMEM-ERR-1", _came(operation, answer), allowed, record.count, operation, answer)


def bad_argument(record: Record, operation: Operation, answer: Answer) -> Violation:
    """A call with an argument out of range that was not refused."""
    message = "An argument out of range was not refused."
    return Violation("TMEM-ARG-1", message, "EINVAL, and nothing changes", record.count, operation, answer)


def no_pool(record: Record, operation: Operation, client: int, pool: int, answer: Answer) -> Violation:
    """An answer that no operation gives on an id that stands for no pool."""
    message = f"{_came(operation, answer)[:-1]}, but client {client} has no pool {pool}."
    allowed = "ENODEV"
    if isinstance(operation, Put) and answer is True:
        message = f"A put was stored in pool {pool}, which client {client} has not."
        allowed = "ENODEV, or a put that fails"
    elif not isinstance(operation, PoolFlags):
        allowed = "ENODEV, or None" if isinstance(operation, Get) else "ENODEV, or False"
    return Violation("TMEM-POOL-3", message, allowed, record.count, operation, answer)


_DENIED: Final[dict[type[Operation], tuple[str, str]]] = {
    Put: ("TMEM-PUT-1", "True, or a put that fails by False, ENOMEM, ENOSPC or EFROZEN"),
    FlushPage: ("TMEM-FLUSH-1", "True, False or EFROZEN: it has flushed"),
    FlushObject: ("TMEM-FLUSH-2", "True, False or EFROZEN: it has flushed"),
    DestroyPool: ("TMEM-POOL-3", "True or False: the pool has ended"),
}
"""The clause that a put, flush or destroy breaks that changed nothing, and what it may answer."""


def denied(record: Record, operation: Operation, answer: Answer) -> Violation:
    """A right operation on a live pool that says, by its errno, that it has changed nothing."""
    clause, allowed = _DENIED[type(operation)]
    message = f"{type(operation).__name__} answered {answer!s}, though the pool is live."
    return Violation(clause, message, allowed, record.count, operation, answer)


def flags_granted(record: Record, new: NewPool, answer: Answer) -> Violation:
    """Flags that no backend may take were taken, or new pool was refused with another errno."""
    why = objection(new.flags, record.page_size)
    message = _came(new, answer)
    if why:
        message = f"{message[:-1]} for the flags {describe(new.flags)}, which no backend takes: {why}."
    allowed = "EPERM, and no pool" if why else "the id of a pool, EPERM or ENOMEM"
    return Violation("TMEM-POOL-4", message, allowed, record.count, new, answer)


def id_taken(record: Record, new: NewPool, answer: Answer) -> Violation:
    """New pool answered an id that is live, or that is no pool id."""
    message = f"Pool id {answer!r} is that of a live pool of client {new.client}."
    allowed = "an id that is not live"
    if not (isinstance(answer, int) and 0 <= answer < 1 << POOL_BITS):
        message, allowed = f"Pool id {answer!r} is out of range.", f"an id of {POOL_BITS} bits"
    return Violation("TMEM-POOL-1", message, allowed, record.count, new, answer)


def kind_told(record: Record, ask: PoolFlags, answer: Answer, member: Member) -> Violation:
    """Pool flags that are not those of the pool."""
    came = _came(ask, answer) if not isinstance(answer, int) else f"Pool flags are {describe(answer)}."
    message = f"{came} The pool is {member.kind}."
    return Violation("TMEM-POOL-5", message, "the flags of the pool", record.count, ask, answer)


def kind_untold(record: Record, operation: Operation, answer: Answer, member: Member) -> Violation:
    """A join as another kind than the maker's, whose kind pool flags have not reported."""
    message = (
        f"A request for a {member.asked} pool joined one that is {member.kind}, and pool flags do not say so."
    )
    allowed = "a refusal to join, or pool flags that report the maker's kind"
    return Violation("TMEM-SHARE-1", message, allowed, record.count, operation, answer)


def lost(record: Record, get: Get, answer: Answer, at_stake: str, origin: Origin | None) -> Violation:
    """A persistent page should be there and is not."""
    life = "" if origin is None else f": {origin.life()}"
    clause = at_stake if at_stake.startswith("TMEM-") else "TMEM-GET-3"
    return Violation(clause, f"A persistent page is gone{life}.", "that page", record.count, get, answer)


def wrong_page(record: Record, get: Get, answer: Answer, page: bytes, member: Member | None) -> Violation:
    """A hit where there is nothing, or with a page that is not the slot's."""
    held = record.may_hold(get.client, get.handle)
    allowed = "a miss, or ENODEV" if member is None else "a miss"
    if held.page is not None:
        allowed = f"the page of put #{record.origins[held.page].put}" + ("" if held.sure else ", or a miss")
    clause, message = _source(record, get, page, member)
    return Violation(clause, message, allowed, record.count, get, answer)


def _came(operation: Operation, answer: Answer) -> str:
    came = f"raised {answer}" if isinstance(answer, Raised) else f"answered {answer!r:.40}"
    return f"{type(operation).__name__} {came}."


def _source(record: Record, get: Get, page: bytes, member: Member | None) -> tuple[str, str]:
    held = record.may_hold(get.client, get.handle).page
    if record.scribble is not None and not copied(held, page, {record.scribble}):
        return "TMEM-PUT-4", "What the caller wrote into its buffer after the put came back."
    if len(page) != record.page_size:
        return "TMEM-PUT-2", f"{len(page)} bytes came back, not a page of {record.page_size}."
    origin = record.origins.get(page)
    if origin is None:
        return "TMEM-PUT-2", "A page came back that nobody ever put."
    if member is not None:
        origin = _ended_here(origin, member, get)
    message = f"At {get.handle} of client {get.client} there came back {origin.life()}."
    if origin.ended == "TMEM-ARG-1":
        return origin.ended, message
    if member is not None and member.pool.number == origin.pool:
        same_slot = origin.handle.slot == get.handle.slot
        return (origin.ended or "TMEM-PUT-2") if same_slot else same_pool(origin, get.handle), message
    return foreign(origin, get.client, Kind() if member is None else member.kind, get.handle), message


def _ended_here(origin: Origin, member: Member, get: Get) -> Origin:
    # Of equal pages the one that was in this slot, where there was one, else the last that was put.
    each: Origin | None = origin
    while each is not None:
        if each.ended and each.pool == member.pool.number and each.handle.slot == get.handle.slot:
            return each
        each = each.earlier
    return origin
