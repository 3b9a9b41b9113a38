"""The clauses of shared pools."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Kind, P, vanished


@clause(
    "TMEM-SHARE-1",
    "Clients that join a shared pool by the same UUID see the same pages; other UUIDs never meet.",
    "C X",
)
def shown_to_sharer(kind: Kind, put_by: int, got_by: int, held: P | None, shown: P | None) -> bool:
    """Whether a get in the pool of UUID `got_by` may show this (None: a miss) of what UUID `put_by` holds.

    >>> swap = Kind(persistent=True, shared=True)
    >>> [shown_to_sharer(swap, 5, 5, held="page", shown=shown) for shown in ("page", None)]
    [True, False]
    >>> shown_to_sharer(swap, 5, 6, held="page", shown="page")
    False
    """
    if put_by != got_by:
        return shown is None
    return shown in (held, vanished(kind, held))


@clause(
    "TMEM-SHARE-2",
    "In a persistent shared pool (later Xen refuses to make one) the pages stay when a sharer leaves; the "
    "last one to leave ends the pool. In an ephemeral one anything may vanish.",
    "X",
)
def sharer_left(kind: Kind, users_left: int, before: P | None, after: P | None) -> bool:
    """Whether a slot of the pool may hold `after` once a sharer has left and `users_left` remain.

    >>> swap = Kind(persistent=True, shared=True)
    >>> sharer_left(swap, 1, "page", "page"), sharer_left(swap, 1, "page", None)
    (True, False)
    >>> sharer_left(swap, 0, "page", None), sharer_left(swap, 0, "page", "page")
    (True, False)
    """
    if users_left == 0:
        return after is None
    return after in (before, vanished(kind, before))
