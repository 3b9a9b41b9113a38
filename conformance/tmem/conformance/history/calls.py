"""A call of a history: a flat call of the Backend protocol, its answer, and when it began and ended."""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import NamedTuple, TypeAlias

from tmem.spec.operations import Answer, Operation, Raised, flat

Page: TypeAlias = Hashable
"""A page, or a value that identifies its contents. The checker compares and hashes pages, no more."""
Name: TypeAlias = tuple[Page, ...]
"""⟨client, pool id⟩; with an object id and an index it names a slot."""


class Call(NamedTuple):
    """One operation of a history, from invocation to response.

    `op` is the method of the Backend and `args` are its arguments (`tmem.spec.operations.SIGNATURES`). Times
    are of one clock, in any unit. A call precedes another one if its `end` is less than the other's `begin`.
    `end` is None if the call never returned.
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


class Perhaps(NamedTuple):
    """A call that may have taken effect, at the latest at `end`, or not at all."""

    begin: float
    end: float
    call: Call


def end_of(call: Call) -> float:
    """When the call ended; infinity if it never did."""
    return inf if call.end is None else call.end


def page_of(put: Call) -> Page:
    """The page of a put."""
    return put.args[4]


def brief(value: object) -> str:
    """A value in a few characters. Only the first bytes of a long page are shown.

    >>> brief(b"page" * 1024), brief(None), brief(7)
    ("b'pagepagepage…'", 'None', '7')
    """
    if isinstance(value, bytes | str) and len(value) > 16:
        return f"{value[:12]!r}"[:-1] + "…" + f"{value[:12]!r}"[-1]
    return str(value) if isinstance(value, Raised) else repr(value)


def call_of(thread: int, begin: float, end: float | None, operation: Operation, answer: Answer) -> Call:
    """The call of an operation of the spec.

    >>> from tmem.spec import Get, Handle
    >>> str(call_of(0, 1, 2, Get(1, Handle(0, 7, 3)), b"page"))
    "get(1, 0, 7, 3) → b'page'"
    """
    method, arguments = flat(operation)
    return Call(thread, begin, end, method, arguments, answer)
