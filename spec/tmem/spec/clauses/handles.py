"""The clauses of handles: slots are independent, and every bit counts."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.handle import Handle
from tmem.spec.slot import Kind, P, vanished


@clause(
    "TMEM-HANDLE-1",
    "Slots are independent: an operation on one never changes what another holds (ephemeral pages may always "
    "vanish).",
    "T",
)
def independent(
    kind: Kind, touched: Handle, other: Handle, before: P | None, after: P | None, shown: P | None = None
) -> bool:
    """Whether an operation on `touched` may leave `after` in the slot `other`, and show its page.

    >>> cache, swap = Kind(persistent=False), Kind(persistent=True)
    >>> a, b = Handle(0, 7, 1), Handle(0, 7, 2)
    >>> [independent(kind, a, b, before="page", after=None) for kind in (cache, swap)]
    [True, False]
    >>> independent(cache, a, b, before="page", after="page", shown="page")    # another slot's page
    False
    """
    return touched == other or (shown is None and after in (before, vanished(kind, before)))


@clause(
    "TMEM-HANDLE-2",
    "Every bit counts: all 192 of the object id, all 32 of the index. (All ones is an ordinary id; a backend "
    "that keeps it for itself refuses its puts.)",
    "T",
)
def same_slot(put_at: Handle, got_at: Handle) -> bool:
    """Whether a page that was put at one handle may be returned at the other, in the same pool.

    >>> same_slot(Handle(0, 7, 1), Handle(0, 7, 1)), same_slot(Handle(0, 7, 1), Handle(0, 7 + (1 << 191), 1))
    (True, False)
    >>> same_slot(Handle(0, 7, 1), Handle(0, 7, 1 + (1 << 31)))
    False
    """
    return (put_at.oid, put_at.index) == (got_at.oid, got_at.index)
