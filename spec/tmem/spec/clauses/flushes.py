"""The clauses of flush."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Does, Event, Kind, P, untouched
from tmem.spec.store import Pool, Slot


@clause(
    "TMEM-FLUSH-1",
    "After flush page the slot holds nothing. Flushing nothing is no error: flush page in a live pool "
    "answers True or False, or raises EFROZEN and has flushed.",
    "T X",
)
def flushed_empties(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> flush = Event(Does.FLUSHED)
    >>> flushed_empties(Kind(), "page", flush, None), flushed_empties(Kind(), "page", flush, "page")
    (True, False)
    >>> flushed_empties(Kind(), None, Event(Does.NOTHING), None)          # flush page raised EINVAL
    False
    """
    return event.does is not Does.NOTHING and (event.does is not Does.FLUSHED or after is None)


@clause(
    "TMEM-FLUSH-2",
    "After flush object no index of that object holds a page; other objects are untouched. It answers as "
    "flush page does. Callers must not rely on whether flush page or flush object answers True or False.",
    "T X",
)
def object_flushed(
    event: Event[P], pool: Pool, oid: int, slot: Slot, before: P | None, after: P | None
) -> bool:
    """Whether flush object of this pool and object id may leave `after` in the slot.

    >>> swap, flush = Pool(0, Kind(persistent=True)), Event(Does.FLUSHED)
    >>> [object_flushed(flush, swap, 7, Slot(swap, 7, 3), "page", after) for after in (None, "page")]
    [True, False]
    >>> object_flushed(flush, swap, 7, Slot(swap, 8, 3), before="page", after=None)      # a neighbour
    False
    """
    if event.does is Does.NOTHING:
        return False
    if (slot.pool.number, slot.oid) == (pool.number, oid):
        return after is None
    return untouched(slot.pool.kind, before, after)
