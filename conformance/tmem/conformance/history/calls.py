"""How a call is kept: as the flat call of the Backend protocol, with its answer and two times."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple, TypeAlias

from tmem.spec.answers import declared, event, refused
from tmem.spec.handle import in_range
from tmem.spec.operations import SIGNATURES, Answer, Argument, Operation, Raised, flat, from_flat
from tmem.spec.slot import Does

Page: TypeAlias = Hashable
"""A page, or whatever stands for it: pages are compared and hashed, never looked into."""


class Call(NamedTuple):
    """One operation of a history, from invocation to response.

    `op` is the backend's method and `args` what it was called with (`tmem.spec.operations.SIGNATURES`).
    Times are of one clock, in any unit; of two calls the one comes first whose `end` is less than the
    other's `begin`. `end` is None where the call never returned.
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
    template = _TEMPLATES[op]
    return event(template, answer).does if declared(template, answer) or refused(answer) else None


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


def _template(arguments: tuple[str, ...]) -> tuple[Argument, ...]:
    return tuple(b"" if name == "page" else 0 for name in arguments)


_TEMPLATES: Final[dict[str, Operation]] = {
    method: from_flat(method, _template(signature.arguments)) for method, signature in SIGNATURES.items()
}
"""An operation of each kind; what an exception says of its effect depends on the kind alone."""


def call_of(thread: int, begin: float, end: float | None, operation: Operation, answer: Answer) -> Call:
    """The call of an operation of the spec.

    >>> from tmem.spec import Get, Handle
    >>> str(call_of(0, 1, 2, Get(1, Handle(0, 7, 3)), b"page"))
    "get(1, 0, 7, 3) → b'page'"
    """
    method, arguments = flat(operation)
    return Call(thread, begin, end, method, arguments, answer)
