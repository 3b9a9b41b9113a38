"""The clauses of overlapping operations; each decides a history, which is a sequence of calls."""

from __future__ import annotations

from collections.abc import Sequence

from tmem.spec.clauses.clause import clause
from tmem.spec.history import Call, linearizable


@clause(
    "TMEM-CONC-1",
    "Operations may overlap. Integrity: no torn, foreign or stale page, ever. Linearizability: per slot, "
    "each operation takes effect at one instant between call and return.",
    "T",
)
def overlapping(calls: Sequence[Call]) -> bool:
    """Whether some order of instants explains every answer.

    >>> from tmem.spec import Get, Handle, NewPool, Put
    >>> slot, new = Handle(0, 7, 3), Call(NewPool(1), 0, begin=0, end=1)
    >>> put = Call(Put(1, slot, b"page"), True, begin=2, end=5)
    >>> early, late = (Call(Get(1, slot), b"page", begin, begin + 1) for begin in (3, 6))
    >>> overlapping([new, put, early]), overlapping([new, put, late])
    (True, True)
    >>> overlapping([new, put, early, late])      # an exclusive hit, twice
    False
    """
    return linearizable(calls)


@clause(
    "TMEM-CONC-2",
    "Flush object counts, for each slot it covers, as one flush at some instant within the call; destroy "
    "pool is one instant for the id.",
    "T X",
)
def flushed_meanwhile(calls: Sequence[Call]) -> bool:
    """Whether a history with flush objects and destroyed pools has such instants.

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
