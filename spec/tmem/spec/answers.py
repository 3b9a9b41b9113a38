"""Which answers an operation may give, and what each shows about the slots that the operation covers.

Arguments in range, and a pool that is live:

| operation    | answer                               | does to its slots |
|--------------|--------------------------------------|-------------------|
| put          | True                                 | holds the page |
| put          | False, ENOMEM, ENOSPC, EFROZEN       | holds nothing |
| get          | a page                               | hit |
| get          | None, EEMPTY                         | miss |
| get          | another errno                        | denied: no persistent page was there |
| flush        | True, False, EFROZEN                 | holds nothing |
| destroy pool | True, False                          | the pool has ended for the client |
| pool flags   | the flags of the pool                | nothing |

No pool: ENODEV; or put, flush and destroy pool answer False, and get answers None or raises EEMPTY.
An argument out of range: EINVAL, or ValueError, OverflowError or TypeError; without a pool also ENODEV.
Neither changes anything.
"""

from __future__ import annotations

from tmem.spec.abi.errors import EEMPTY, EFROZEN, EINVAL, ENODEV, NAMES, PUT_FAILED
from tmem.spec.abi.flags import NO_UUID, kind_of
from tmem.spec.handle import CLIENT_BITS, in_range
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
from tmem.spec.slot import Does, Event

REFUSALS = frozenset({"ValueError", "OverflowError", "TypeError"})


def declared(operation: Operation, answer: Answer) -> bool:
    """Whether the answer is of the operation's declared type or an errno of the ABI (TMEM-ERR-1).

    >>> declared(FlushObject(1, 0, 7), None), declared(FlushObject(1, 0, 7), Raised("OSError", 19))
    (False, True)
    """
    if isinstance(answer, Raised):
        return answer.errno in NAMES
    match operation:
        case NewPool() | PoolFlags():
            return type(answer) is int
        case Reclaim(pages):
            return type(answer) is int and 0 <= answer <= pages
        case Get():
            return answer is None or type(answer) is bytes
        case Put() | FlushPage() | FlushObject() | DestroyPool():
            return type(answer) is bool


def fits(operation: Operation, page_size: int | None = None) -> bool:
    """Whether every argument is in range (TMEM-ARG-1). Without `page_size` a page may have any length.

    >>> from tmem.spec import Handle
    >>> fits(Put(1, Handle(0, 7, 3), b"page"), 4), fits(Put(1, Handle(0, 7, 3), b"page"), 8)
    (True, False)
    >>> fits(FlushObject(1, 0, -1)), fits(Get(1, Handle(0, 7, 1 << 32)))
    (False, False)
    """
    match operation:
        case Put(handle=slot, page=page) if page_size is not None and len(page) != page_size:
            return False
        case Put(handle=slot) | Get(handle=slot) | FlushPage(handle=slot):
            return in_range(slot.oid, slot.index)
        case FlushObject(oid=oid):
            return in_range(oid, 0)
        case NewPool(client, flags, uuid):
            named = uuid is None or not kind_of(flags, uuid).shared or 0 <= uuid < NO_UUID
            return 0 <= client < 1 << CLIENT_BITS and named
        case Reclaim(pages):
            return pages >= 0
        case _:
            return True


def refused(answer: Answer, live: bool = True) -> bool:
    """Whether the answer refuses an argument, of a call on an id that stands for a pool (TMEM-ARG-1) or not.

    >>> refused(Raised("OSError", 22)), refused(Raised("OverflowError")), refused(False)
    (True, True, False)
    """
    if not isinstance(answer, Raised):
        return False
    return answer.errno == EINVAL or answer.type in REFUSALS or (answer.errno == ENODEV and not live)


def nowhere(operation: Operation, answer: Answer) -> bool:
    """Whether an operation on an id that stands for no pool may answer this (TMEM-POOL-3).

    >>> from tmem.spec import Handle
    >>> get = Get(1, Handle(0, 7, 3))
    >>> [nowhere(get, answer) for answer in (None, Raised("OSError", 19), b"page", Raised("OSError", 12))]
    [True, True, False, False]
    """
    if isinstance(answer, Raised):
        return answer.errno == ENODEV or (isinstance(operation, Get) and answer.errno == EEMPTY)
    match operation:
        case Get():
            return answer is None
        case Put() | FlushPage() | FlushObject() | DestroyPool():
            return answer is False
        case _:
            return False


def event(operation: Operation, answer: Answer) -> Event[bytes]:
    """What a declared answer of a call that fits says that it did to each slot it covers in a live pool.

    >>> from tmem.spec import Handle
    >>> event(Put(1, Handle(0, 7, 3), b"page"), Raised("OSError", 12)).does
    <Does.REFUSED: 'put failed'>
    >>> event(FlushObject(1, 0, 7), Raised("OSError", 1000)).does    # a frozen client's flush has flushed
    <Does.FLUSHED: 'flushed'>
    """
    errno = answer.errno if isinstance(answer, Raised) else None
    match operation:
        case Put(page=page) if answer is True:
            return Event(Does.STORED, page)
        case Put() if answer is False or errno in PUT_FAILED:
            return Event(Does.REFUSED)
        case Get() if isinstance(answer, bytes):
            return Event(Does.HIT, answer)
        case Get() if answer is None or errno == EEMPTY:
            return Event(Does.MISS)
        case Get():
            return Event(Does.DENIED)
        case FlushPage() | FlushObject() if errno is None or errno == EFROZEN:
            return Event(Does.FLUSHED)
        case DestroyPool() if errno is None:
            return Event(Does.ENDED)
        case _:
            return Event(Does.NOTHING)
