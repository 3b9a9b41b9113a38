"""Whether an answer is one that its call may have, whatever other calls did (ARG-1, ERR-1, POOL-4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from tmem.conformance.history.calls import Call
from tmem.spec.abi.flags import PAGE_SIZE_MASK, PAGE_SIZE_SHIFT, describe, objection
from tmem.spec.answers import declared, refused
from tmem.spec.clauses.pools import flags_taken
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS
from tmem.spec.operations import Operation, Raised, from_flat

OBJECTS: Final = 1 << OBJECT_BITS
INDEXES: Final = 1 << INDEX_BITS
WITH_OBJECT: Final = frozenset({"put", "get", "flush_page", "flush_object"})


class Wrong(NamedTuple):
    """The clause that an answer breaks, and how."""

    clause: str
    reason: str


def wrong_reply(call: Call) -> Wrong | None:
    """What is wrong with the answer of a call that returned; None if other calls may allow it.

    >>> put = Call(0, 1, 2, "put", (1, 0, 7, -1, "page"), True)
    >>> wrong_reply(put)
    Wrong(clause='TMEM-ARG-1', reason='#1: Index -1 is out of range, but the call was not refused.')
    >>> wrong_reply(put._replace(answer=Raised("OSError", 22))) is None
    True
    """
    _, _, end, op, args, answer = call
    if end is None:
        return None
    bad = _bad_argument(op, args) if op in WITH_OBJECT else None
    if bad is not None:
        if refused(answer, live=False):  # type: ignore[arg-type]  # as read from a trace
            return None
        return Wrong("TMEM-ARG-1", f"#1: {bad}, but the call was not refused.")
    if (type(answer) is Raised or op not in WITH_OBJECT) and not _declared(call):
        came = f"raised {answer}" if type(answer) is Raised else f"answered {answer!r:.40}"
        return Wrong("TMEM-ERR-1", f"#1: {op} {came}, which is neither of its type nor an errno of the ABI.")
    return _wrong_grant(call) if op == "new_pool" else None


def _declared(call: Call) -> bool:
    # Pages of traces are texts that stand for bytes, so from a get only its exceptions are looked at.
    return declared(_operation(call), call.answer)  # type: ignore[arg-type]  # as read from a trace


def _operation(call: Call) -> Operation:
    args = (*call.args[:4], b"") if call.op == "put" else call.args
    return from_flat(call.op, args)  # type: ignore[arg-type]  # as read from a trace


def _bad_argument(op: str, args: tuple[object, ...]) -> str | None:
    oid = args[2]
    if not (isinstance(oid, int) and 0 <= oid < OBJECTS):
        return f"Object id {oid} is out of range"
    if op == "flush_object":
        return None
    index = args[3]
    if not (isinstance(index, int) and 0 <= index < INDEXES):
        return f"Index {index} is out of range"
    return "The page is empty" if op == "put" and args[4] == "" else None


def _wrong_grant(call: Call) -> Wrong | None:
    # The page size of the backend is not known, so any that the flags can express is right.
    flags = call.args[1]
    if not isinstance(flags, int):
        return None
    page_size = 4096 << (flags >> PAGE_SIZE_SHIFT & PAGE_SIZE_MASK)
    if flags_taken(flags, page_size, call.answer, type(call.answer) is int):  # type: ignore[arg-type]
        return None
    if (objected := objection(flags, page_size)) is None:
        came = f"#1: new_pool raised {call.answer}; it may be refused with EPERM or ENOMEM only."
        return Wrong("TMEM-POOL-4", came)
    why = f"{describe(flags)}: {objected}"
    return Wrong("TMEM-POOL-4", f"#1: Flags that no backend takes must be refused with EPERM ({why}).")
