"""The clauses of overlapping operations; each decides a history, which is a sequence of calls."""

from __future__ import annotations

from collections.abc import Sequence

from tmem.spec.clauses.clause import clause
from tmem.spec.history import Call, at_place, handles, linearizable
from tmem.spec.integrity import intact


@clause(
    "TMEM-CONC-1",
    "Operations may overlap. No get shows a torn, foreign or stale page, and on each slot every operation "
    "takes effect at one instant between its call and its return. A call that never returns takes effect at "
    "some instant after it began, or never.",
    "T",
)
def overlapping(calls: Sequence[Call]) -> bool:
    """Whether for each object id and index some order of instants explains every answer.

    >>> from tmem.spec import Get, Handle, NewPool, Put
    >>> slot, new = Handle(0, 7, 3), Call(NewPool(1), 0, begin=0, end=1)
    >>> put = Call(Put(1, slot, b"page"), True, begin=2, end=5)
    >>> early, late = (Call(Get(1, slot), b"page", begin, begin + 1) for begin in (3, 6))
    >>> overlapping([new, put, early]), overlapping([new, put, late])
    (True, True)
    >>> overlapping([new, put, early, late])      # an exclusive hit, twice
    False
    """
    places = {(slot.oid, slot.index) for slot in handles(calls)}
    return intact(calls) and all(linearizable(at_place(calls, *place)) for place in places)


@clause(
    "TMEM-CONC-2",
    "Flush object may take its slots one by one, each at its own instant within the call. Destroy pool "
    "takes effect for that client's id at one instant.",
    "T X",
)
def flushed_meanwhile(calls: Sequence[Call]) -> bool:
    """Whether one choice of such instants explains every answer of a history, in all its slots.

    >>> from tmem.spec import FlushObject, Get, Handle, NewPool, Put
    >>> new = Call(NewPool(1, 0x01000001), 0, begin=0, end=1)
    >>> put = [Call(Put(1, Handle(0, 7, i), bytes([i])), True, 2 + i, 2.5 + i) for i in (0, 1)]
    >>> flush = Call(FlushObject(1, 0, 7), True, begin=5, end=9)
    >>> gone, there = Call(Get(1, Handle(0, 7, 0)), None, 6, 7), Call(Get(1, Handle(0, 7, 1)), b"\\1", 7.5, 8)
    >>> flushed_meanwhile([new, *put, flush, gone, there])                # one index after the other
    True
    >>> flushed_meanwhile([new, *put, flush, Call(Get(1, Handle(0, 7, 1)), b"\\1", 10, 11)])
    False
    """
    return linearizable(calls)


@clause(
    "TMEM-CONC-3",
    "Progress: every operation returns, whatever the others and the reclaimer do. A hang or a crash breaks "
    "this clause.",
    "I",
)
def all_return(calls: Sequence[Call]) -> bool:
    """Whether every call of a history that was waited for has come to its end.

    >>> from tmem.spec import Reclaim
    >>> [all_return([Call(Reclaim(1), 1, begin=0, end=end)]) for end in (2, None)]
    [True, False]
    """
    return all(call.end is not None for call in calls)
