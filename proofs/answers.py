"""Theorems of answers: what each says is possible or forbidden, whatever the slot holds."""

from __future__ import annotations

from enum import Enum

from proofs.theorem import theorem
from tmem.spec.answers import declared, event, fits, nowhere, refused
from tmem.spec.clauses.flushes import flushed_empties, object_flushed
from tmem.spec.clauses.pools import destroyed, new_pool, private
from tmem.spec.clauses.puts import copied, failed_put_empties
from tmem.spec.clauses.replies import answer_declared, bad_argument_refused
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS, POOL_BITS, Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    Operation,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does, Kind, after, untouched
from tmem.spec.store import Pool, Slot

AT = Handle(0, 7, 3)


class Named(Enum):
    """An operation on a pool id."""

    PUT = "put"
    GET = "get"
    FLUSH_PAGE = "flush page"
    FLUSH_OBJECT = "flush object"
    DESTROY_POOL = "destroy pool"


OPERATIONS: dict[Named, Operation] = {
    Named.PUT: Put(1, AT, b"page"),
    Named.GET: Get(1, AT),
    Named.FLUSH_PAGE: FlushPage(1, AT),
    Named.FLUSH_OBJECT: FlushObject(1, 0, 7),
    Named.DESTROY_POOL: DestroyPool(1, 0),
}


class Reply(Enum):
    """What may come back; an exception has any errno, or none."""

    TRUE = "True"
    FALSE = "False"
    NONE = "None"
    PAGE = "page"
    RAISED = "raised"


def came(reply: Reply, errno: int | None) -> Answer:
    """The answer."""
    if reply is Reply.RAISED:
        return Raised("OSError", errno)
    if reply is Reply.PAGE:
        return b"page"
    return None if reply is Reply.NONE else reply is Reply.TRUE


@theorem("TMEM-PUT-1", "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-POOL-3")
def a_put_flush_or_destroy_does_something_or_is_forbidden(
    named: Named, reply: Reply, errno: int | None, before: bool, kind: Kind
) -> bool:
    """In a live pool no put, flush or destroy says that nothing changed; what else it says is possible."""
    call, answer = OPERATIONS[named], came(reply, errno)
    if named is Named.GET or not declared(call, answer):
        return False
    held = b"page" if before else None
    happened = event(call, answer)
    steps = after(kind, held, happened)
    forbidden = happened.does is Does.NOTHING
    assert (steps == ()) == forbidden
    if named is Named.PUT:
        assert failed_put_empties(kind, held, happened, None) == (not forbidden)
        assert forbidden == (reply is Reply.RAISED and errno not in (12, 28, 1000))
    elif named is Named.DESTROY_POOL:
        assert destroyed(True, call, answer) == (reply is not Reply.RAISED) == (not forbidden)
    elif named is Named.FLUSH_PAGE:
        assert flushed_empties(kind, held, happened, None) == (not forbidden)
    else:
        slot = Slot(Pool(0, kind), 7, 3)
        assert object_flushed(happened, slot.pool, 7, slot, held, None) == (not forbidden)
    if named is Named.FLUSH_PAGE or named is Named.FLUSH_OBJECT:
        assert forbidden == (reply is Reply.RAISED and errno != 1000)
    return forbidden and before


@theorem("TMEM-POOL-3")
def an_id_without_a_pool_stores_and_shows_nothing(named: Named, reply: Reply, errno: int | None) -> bool:
    """What may be answered on an id without a pool is declared, and neither a stored put nor a hit."""
    call, answer = OPERATIONS[named], came(reply, errno)
    may = destroyed(False, call, answer)
    assert may == nowhere(call, answer)
    if not may:
        return False
    assert declared(call, answer)
    assert event(call, answer).does not in (Does.STORED, Does.HIT)
    assert reply is not Reply.TRUE
    assert reply is not Reply.RAISED or errno == 19 or (errno == 1001 and named is Named.GET)
    return reply is not Reply.RAISED


@theorem("TMEM-ARG-1")
def a_refusal_has_done_nothing(
    named: Named, reply: Reply, errno: int | None, live: bool, before: int | None, now: int | None, kind: Kind
) -> bool:
    """What refuses an argument is an error by which no operation did or showed anything."""
    answer = came(reply, errno)
    assert bad_argument_refused(kind, live, answer, before, now) == (
        refused(answer, live) and untouched(kind, before, now)
    )
    if not refused(answer, live):
        return False
    assert reply is Reply.RAISED
    assert errno == 22 or (errno == 19 and not live)
    assert event(OPERATIONS[named], answer).does in (Does.NOTHING, Does.DENIED)
    assert refused(answer, live=False)
    return not live and errno == 19


@theorem("TMEM-ARG-1", "TMEM-HANDLE-2")
def an_argument_is_in_range_or_not(oid: int, index: int) -> bool:
    """Exactly the object ids of 192 bits and the indexes of 32 bits are taken, the least and greatest too."""
    right = 0 <= oid <= (1 << OBJECT_BITS) - 1 and 0 <= index <= (1 << INDEX_BITS) - 1
    assert fits(Get(1, Handle(0, oid, index))) == right
    assert fits(FlushPage(1, Handle(0, oid, index))) == right
    assert fits(Put(1, Handle(0, oid, index), b"page"), 4) == right
    assert not fits(Put(1, Handle(0, oid, index), b"page"), 5)
    assert fits(FlushObject(1, 0, oid)) == (0 <= oid < 1 << OBJECT_BITS)
    return right and oid == (1 << OBJECT_BITS) - 1


@theorem("TMEM-ERR-1")
def reclaim_answers_no_more_than_was_asked(asked: int, answer: int) -> bool:
    """The number that reclaim answers is from nothing to what was asked for."""
    assert answer_declared(Reclaim(asked), answer) == (0 <= answer <= asked)
    return 0 < answer == asked


@theorem("TMEM-ERR-1")
def an_errno_of_the_abi_is_declared_and_no_other(named: Named, reply: Reply, errno: int | None) -> bool:
    """An exception is declared by its errno alone, a value by its type."""
    call, answer = OPERATIONS[named], came(reply, errno)
    said = answer_declared(call, answer)
    if reply is Reply.RAISED:
        assert said == (errno in (1, 12, 19, 22, 28, 1000, 1001))
        return said and errno == 1001
    gets = named is Named.GET
    assert said == ((reply in (Reply.NONE, Reply.PAGE)) == gets)
    return False


@theorem("TMEM-POOL-1")
def an_id_is_granted_that_is_free_and_fits(
    granted: int, live: int, kind: Kind, joined: bool, before: int | None, now: int | None
) -> bool:
    """New pool grants no id in use and none out of range; a pool that is made is empty, one joined is not
    touched."""
    said = new_pool(granted, (live,), kind, joined, before, now)
    free = granted != live and 0 <= granted < 1 << POOL_BITS
    assert said == (free and (untouched(kind, before, now) if joined else now is None))
    return said and joined and now is not None


@theorem("TMEM-POOL-2")
def a_private_page_is_its_owners(
    kind: Kind, client: int, owner: int, before: int | None, now: int | None, shown: int | None
) -> bool:
    """A client neither sees nor changes a page in another's private pool, but for what may vanish."""
    if not private(kind, client, owner, before, now, shown) or client == owner:
        return False
    assert shown is None
    assert now == before or (now is None and not kind.persistent)
    return before is not None and now is None


@theorem("TMEM-PUT-4")
def what_the_buffer_became_is_not_shown(put: int, shown: int, later: int) -> bool:
    """A hit shows what was put, and of what the buffer became later only what is equal to that."""
    said = copied(put, shown, (later,))
    assert said == (shown == put or shown != later)
    return not said
