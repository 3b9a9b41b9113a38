"""The clauses of flush."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.handle import Handle
from tmem.spec.slot import Does, Event, Kind, P, vanished


@clause("TMEM-FLUSH-1", "After flush page the slot holds nothing. Flushing nothing is no error.", "T")
def flushed_empties(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> flush = Event(Does.FLUSHED)
    >>> flushed_empties(Kind(), "page", flush, None), flushed_empties(Kind(), "page", flush, "page")
    (True, False)
    """
    return event.does is not Does.FLUSHED or after is None


@clause(
    "TMEM-FLUSH-2",
    "After flush object no index of that object holds a page; other objects are untouched. What flush "
    "answers («found») is informative: Linux and Xen differ.",
    "T X",
)
def object_flushed(kind: Kind, pool: int, oid: int, slot: Handle, before: P | None, after: P | None) -> bool:
    """Whether flush object of ⟨pool, oid⟩ may leave `after` in this slot.

    >>> swap = Kind(persistent=True)
    >>> [object_flushed(swap, 0, 7, Handle(0, 7, 3), "page", after) for after in (None, "page")]
    [True, False]
    >>> object_flushed(swap, 0, 7, Handle(0, 8, 3), before="page", after=None)      # a neighbour
    False
    """
    if (slot.pool, slot.oid) == (pool, oid):
        return after is None
    return after in (before, vanished(kind, before))
