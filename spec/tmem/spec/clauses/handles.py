"""The clauses of handles: slots are independent, and every bit counts."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.handle import Handle
from tmem.spec.slot import P, untouched
from tmem.spec.store import Slot


@clause(
    "TMEM-HANDLE-1",
    "Slots are independent: an operation on one slot never changes what another holds, nor shows its page. "
    "(An ephemeral page may vanish at any time.)",
    "T",
)
def independent(
    touched: Slot, other: Slot, before: P | None, after: P | None, shown: P | None = None
) -> bool:
    """Whether an operation on `touched` may leave `after` in the slot `other`, and show its page.

    >>> from tmem.spec import Kind
    >>> from tmem.spec.store import Pool
    >>> cache, swap = Pool(0, Kind(persistent=False)), Pool(1, Kind(persistent=True))
    >>> a, b, c = Slot(cache, 7, 1), Slot(cache, 7, 2), Slot(swap, 7, 1)
    >>> independent(a, b, before="page", after=None), independent(a, c, before="page", after=None)
    (True, False)
    >>> independent(a, b, before="page", after="page", shown="page")    # another slot's page
    False
    """
    if touched.key() == other.key():
        return True
    return shown is None and untouched(other.pool.kind, before, after)


@clause(
    "TMEM-HANDLE-2",
    "Every bit counts: all 192 of the object id, all 32 of the index. The object id 2^192-1 is valid. A "
    "backend that reserves it must fail every put to it, as any put may fail, and must not treat it as "
    "another id.",
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
