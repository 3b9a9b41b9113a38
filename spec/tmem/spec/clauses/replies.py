"""The clauses of arguments and answers."""

from __future__ import annotations

from tmem.spec.answers import declared, refused
from tmem.spec.clauses.clause import clause
from tmem.spec.operations import Answer, Operation
from tmem.spec.slot import P


@clause(
    "TMEM-ARG-1",
    "A page of another length, an object id or index out of range: refused (EINVAL; ValueError, "
    "OverflowError and TypeError count too), and nothing changes.",
    "ours",
)
def bad_argument_refused(answer: Answer, before: P | None, after: P | None) -> bool:
    """Whether a call with an argument out of range may answer this and leave `after` in a slot.

    >>> from tmem.spec import Raised
    >>> bad_argument_refused(Raised("OSError", 22), "page", "page"), bad_argument_refused(True, None, "torn")
    (True, False)
    >>> bad_argument_refused(Raised("ValueError"), "page", None)       # something changed
    False
    """
    return refused(answer) and after == before


@clause(
    "TMEM-ERR-1",
    "An operation answers a value of its declared type or raises OSError with an errno of the ABI.",
    "X",
)
def answer_declared(operation: Operation, answer: Answer) -> bool:
    """Whether the answer is one that the operation may give.

    >>> from tmem.spec import Get, Handle, Raised
    >>> get = Get(1, Handle(0, 7, 3))
    >>> [answer_declared(get, answer) for answer in (None, b"page", True, Raised("KeyError"))]
    [True, True, False, False]
    """
    return declared(operation, answer)
