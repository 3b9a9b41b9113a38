"""What an answer tells: which answers are declared, and what each does to the slots it concerns.

| operation    | answer                               | does to its slots |
|--------------|--------------------------------------|-------------------|
| put          | True                                 | holds the page    |
| put          | False, ENOMEM, ENOSPC, EFROZEN       | holds nothing     |
| get          | a page / None, EEMPTY                | hit / miss        |
| get          | EINVAL, EPERM, ENODEV                | nothing changed, and no persistent page was there |
| flush        | True, False, EFROZEN                 | holds nothing     |
| flush        | another errno of the ABI             | nothing changed, and there is no such pool |
| destroy pool | True, False                          | the pool has ended |
| anything     | EINVAL, EPERM, ENODEV                | nothing changed   |
| anything     | another errno of the ABI             | nothing changed   |

ValueError, OverflowError and TypeError count as EINVAL where an argument was out of range.
"""

from __future__ import annotations

from tmem.spec.abi.errors import EEMPTY, EFROZEN, NAMES, NOTHING_CHANGED, PUT_FAILED
from tmem.spec.handle import in_range
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
        case Reclaim():
            return type(answer) is int and answer >= 0
        case Get():
            return answer is None or type(answer) is bytes
        case Put() | FlushPage() | FlushObject() | DestroyPool():
            return type(answer) is bool


def refused(answer: Answer) -> bool:
    """Whether the answer refuses an argument (TMEM-ARG-1).

    >>> refused(Raised("OSError", 22)), refused(Raised("OverflowError")), refused(False)
    (True, True, False)
    """
    return isinstance(answer, Raised) and (answer.errno == 22 or answer.type in REFUSALS)


def unflushed(operation: Operation, answer: Answer) -> bool:
    """Whether a flush of a handle in range was denied: flushing nothing is no error, and no page may stay, so
    that there can be no such pool (TMEM-FLUSH-1, TMEM-FLUSH-2).

    >>> [unflushed(FlushObject(1, 0, 7), answer) for answer in (True, False, Raised("OSError", 22))]
    [False, False, True]
    """
    match operation:
        case FlushPage(handle=slot):
            fits = in_range(slot.oid, slot.index)
        case FlushObject(oid=oid):
            fits = in_range(oid, 0)
        case _:
            return False
    return fits and event(operation, answer).does is Does.NOTHING


def event(operation: Operation, answer: Answer) -> Event[bytes]:
    """What a declared answer does to each slot that the operation covers.

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
        case Get() if errno in NOTHING_CHANGED:
            return Event(Does.DENIED)
        case FlushPage() | FlushObject() if errno is None or errno == EFROZEN:
            return Event(Does.FLUSHED)
        case DestroyPool() if errno is None:
            return Event(Does.ENDED)
        case _:
            return Event(Does.NOTHING)
