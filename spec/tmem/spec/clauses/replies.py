"""The clauses of arguments and answers."""

from __future__ import annotations

from tmem.spec.answers import declared, refused
from tmem.spec.clauses.clause import clause
from tmem.spec.operations import Answer, Operation
from tmem.spec.slot import Kind, P, untouched


@clause(
    "TMEM-ARG-1",
    "A page of another length, an object id or index out of range: the call is refused (EINVAL; ValueError, "
    "OverflowError and TypeError count too) and nothing changes. On an id without a pool it may raise ENODEV "
    "instead.",
    "ours",
)
def bad_argument_refused(kind: Kind, live: bool, answer: Answer, before: P | None, after: P | None) -> bool:
    """Whether a call with an argument out of range may answer this and leave `after` in a slot.

    `live`: the id that it names stands for a pool.

    >>> from tmem.spec import Raised
    >>> swap = Kind(persistent=True)
    >>> bad_argument_refused(swap, True, Raised("OSError", 22), "page", "page")
    True
    >>> bad_argument_refused(swap, True, None, "page", "page")                  # a miss
    False
    >>> bad_argument_refused(swap, True, Raised("ValueError"), "page", None)    # something changed
    False
    >>> [bad_argument_refused(swap, live, Raised("OSError", 19), None, None) for live in (True, False)]
    [False, True]
    """
    return refused(answer, live) and untouched(kind, before, after)


@clause(
    "TMEM-ERR-1",
    "An operation answers a value of its declared type, or raises OSError with EPERM, ENOMEM, ENODEV, "
    "EINVAL, ENOSPC, EFROZEN or EEMPTY (for arguments out of range see TMEM-ARG-1). Reclaim answers at most "
    "as many pages as it was asked for.",
    "X ours",
)
def answer_declared(operation: Operation, answer: Answer) -> bool:
    """Whether the answer is one that the operation may give.

    >>> from tmem.spec import Get, Handle, Raised, Reclaim
    >>> get = Get(1, Handle(0, 7, 3))
    >>> [answer_declared(get, answer) for answer in (None, b"page", True, Raised("KeyError"))]
    [True, True, False, False]
    >>> [answer_declared(Reclaim(1), answer) for answer in (0, 1, 2, -1)]
    [True, True, False, False]
    """
    return declared(operation, answer)
