"""Which clause a wrong answer breaks, and how to say it.

Pages in checks are unmistakable, so the clause follows from where the returned page came from: what
ended it, whose slot it belongs to, or that nobody ever put it.
"""

from __future__ import annotations

from tmem.model.origin import Origin, foreign, same_pool
from tmem.model.pools import Member
from tmem.model.record import Record
from tmem.model.violation import Violation
from tmem.spec.abi.flags import describe, objection
from tmem.spec.answers import declared, refused
from tmem.spec.operations import Answer, FlushObject, FlushPage, Get, NewPool, Operation, Put, Raised
from tmem.spec.slot import Kind


def undeclared(record: Record, operation: Operation, answer: Answer) -> Violation:
    """An answer of the wrong type, or an exception that is none of the ABI's."""
    came = f"raised {answer}" if isinstance(answer, Raised) else f"answered {answer!r:.40}"
    told = f"{type(operation).__name__} {came}."
    allowed = "its declared type, or OSError with an errno of the ABI"
    return Violation("TMEM-ERR-1", told, allowed, record.count, operation, answer)


def bad_argument(
    record: Record, operation: Operation, client: int, pool: int, answer: Answer
) -> Violation | None:
    """A call with an argument out of range: refused; where the pool is dead that may be answered first."""
    on_dead_pool = record.member(client, pool) is None and isinstance(answer, Raised)
    if refused(answer) or (on_dead_pool and declared(operation, answer)):
        return None
    told = "An argument out of range was not refused."
    return Violation("TMEM-ARG-1", told, "EINVAL, and nothing changes", record.count, operation, answer)


def stored_in_no_pool(record: Record, put: Put, answer: Answer) -> Violation:
    """A put that was stored in a pool that the client has not."""
    told = f"A put was stored in pool {put.handle.pool}, which client {put.client} has not."
    return Violation("TMEM-POOL-3", told, "ENODEV, or a put that fails", record.count, put, answer)


def denied_flush(record: Record, flush: FlushPage | FlushObject, answer: Answer, clause: str) -> Violation:
    """A flush in a live pool that answered an error: what it names may still be there."""
    told = f"{type(flush).__name__} answered {answer!s}, though the pool is live."
    return Violation(clause, told, "True, False or EFROZEN: it has flushed", record.count, flush, answer)


def flags_granted(record: Record, new: NewPool, answer: Answer) -> Violation:
    """Flags that may not be taken were, or were refused in another way."""
    told = f"{describe(new.flags)}: {objection(new.flags, record.page_size)}."
    return Violation("TMEM-POOL-4", told, "EPERM, and no pool", record.count, new, answer)


def id_taken(record: Record, new: NewPool, answer: Answer) -> Violation:
    """New pool answered an id that is live."""
    told = f"Pool id {answer!r} is that of a live pool of client {new.client}."
    return Violation("TMEM-POOL-1", told, "an id that is not live", record.count, new, answer)


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
    clause, told = _source(record, get, page, member)
    return Violation(clause, told, allowed, record.count, get, answer)


def _source(record: Record, get: Get, page: bytes, member: Member | None) -> tuple[str, str]:
    if page == record.scribble:
        return "TMEM-PUT-4", "What the caller wrote into its buffer after the put came back."
    if len(page) != record.page_size:
        return "TMEM-PUT-2", f"{len(page)} bytes came back, not a page of {record.page_size}."
    origin = record.origins.get(page)
    if origin is None:
        return "TMEM-PUT-2", "A page came back that nobody ever put."
    if member is not None:
        origin = _ended_here(origin, member, get)
    told = f"At {get.handle} of client {get.client} there came back {origin.life()}."
    if origin.ended == "TMEM-ARG-1":
        return origin.ended, told
    if member is not None and member.pool.number == origin.pool:
        same_slot = origin.handle.slot == get.handle.slot
        return (origin.ended or "TMEM-PUT-2") if same_slot else same_pool(origin, get.handle), told
    return foreign(origin, get.client, Kind() if member is None else member.kind, get.handle), told


def _ended_here(origin: Origin, member: Member, get: Get) -> Origin:
    # Of equal pages the one that was in this slot, where there was one, else the last that was put.
    each: Origin | None = origin
    while each is not None:
        if each.ended and each.pool == member.pool.number and each.handle.slot == get.handle.slot:
            return each
        each = each.earlier
    return origin
