"""What an answer means, in words of its own: written from the sentences of the clauses, to check `answers`.

Nothing here uses `tmem.spec.answers`, `abi` or the clauses' decisions, which is what the judge is made of.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

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
from tmem.spec.slot import Does, Event, Kind

Meaning: TypeAlias = Event[bytes] | int | str | None
"""What an answer says that the operation did: an event, the id of a new pool, the flags that it reports (as
text), "" (nothing), or None: no operation may answer so."""


class Step(NamedTuple):
    """An operation, what its answer means on an id that stands for a pool, and if it is right on another."""

    operation: Operation
    live: Meaning
    dead: bool


def step(page_size: int, operation: Operation, answer: Answer) -> Step | None:
    """What an operation that gave this answer may have done; None where none may give it anywhere."""
    dead = _no_pool(operation, answer)
    live: Meaning
    if not _right(page_size, operation):
        refused = isinstance(answer, Raised) and (
            answer.errno == 22 or answer.type in ("ValueError", "OverflowError", "TypeError")
        )
        no_room = isinstance(operation, NewPool) and isinstance(answer, Raised) and answer.errno in (1, 12)
        no_pool = isinstance(answer, Raised) and answer.errno == 19
        dead = not isinstance(operation, NewPool | Reclaim) and (refused or no_pool)
        live = "" if refused or no_room else None
    else:
        live = _meaning(operation, answer)
    return None if live is None and not dead else Step(operation, live, dead)


def kind(flags: int, uuid: int | None) -> Kind:
    """The kind that flags ask for: bit 0 persistent; bit 1 shared, with a UUID that is not all ones."""
    return Kind(flags % 2 == 1, flags // 2 % 2 == 1 and uuid not in (None, 2**128 - 1))


def takes(flags: int) -> bool:
    """Whether a backend with pages of 4096 bytes, or of none that flags can name, may take these flags."""
    version, size, precompressed = flags // 2**24, flags // 2**4 % 2**4, flags // 4 % 2
    reserved = flags // 2**8 % 2**16
    return version in (0, 1) and size == 0 and precompressed == 0 and reserved == 0


def _right(page_size: int, operation: Operation) -> bool:
    match operation:
        case Put(_, handle, page) if len(page) != page_size:
            return False
        case Put(_, handle) | Get(_, handle) | FlushPage(_, handle):
            return _id(handle.oid, 192) and _id(handle.index, 32)
        case FlushObject(_, _, oid):
            return _id(oid, 192)
        case Reclaim(pages):
            return pages >= 0
        case NewPool(client, flags, uuid):
            return _id(client, 16) and (not kind(flags, uuid).shared or _id(uuid or 0, 128))
    return True


def _id(number: int, bits: int) -> bool:
    return number >= 0 and number.bit_length() <= bits


def _no_pool(operation: Operation, answer: Answer) -> bool:
    if isinstance(operation, NewPool | Reclaim):
        return False
    if isinstance(answer, Raised):
        return answer.errno == 19 or (answer.errno == 1001 and isinstance(operation, Get))
    if isinstance(operation, Get):
        return answer is None
    return answer is False and not isinstance(operation, PoolFlags)


def _meaning(operation: Operation, answer: Answer) -> Meaning:
    errno = answer.errno if isinstance(answer, Raised) else 0
    yes_or_no = isinstance(answer, bool)
    match operation:
        case Put(_, _, page):
            stored = Event(Does.STORED, page) if yes_or_no and answer else None
            return Event(Does.REFUSED) if (yes_or_no and not answer) or errno in (12, 28, 1000) else stored
        case Get():
            if isinstance(answer, bytes):
                return Event(Does.HIT, answer)
            if answer is None or errno == 1001:
                return Event(Does.MISS)
            return Event(Does.DENIED) if errno in (1, 12, 19, 22, 28, 1000) else None
        case FlushPage() | FlushObject():
            return Event(Does.FLUSHED) if yes_or_no or errno == 1000 else None
        case DestroyPool():
            return Event(Does.ENDED) if yes_or_no else None
        case NewPool(_, flags):
            if isinstance(answer, int) and not yes_or_no:
                return answer if takes(flags) and _id(answer, 31) else None
            return "" if errno in (1, 12) else None
        case PoolFlags():
            is_flags = isinstance(answer, int) and not yes_or_no and takes(answer)
            return repr(answer) if is_flags else None
        case Reclaim(pages):
            counted = isinstance(answer, int) and not yes_or_no and 0 <= answer <= pages
            return "" if counted or errno in (1, 12, 19, 22, 28, 1000, 1001) else None
