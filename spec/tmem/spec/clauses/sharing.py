"""The clauses of shared pools."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Kind, P, untouched


@clause(
    "TMEM-SHARE-1",
    "Clients that join a shared pool by the same UUID see the same pages; pools of different UUIDs never "
    "meet. A pool has one kind, its maker's: a request to join it as another kind is refused, or granted "
    "with the maker's kind, which pool flags tell before anything else is done with the id.",
    "C X ours",
)
def shown_to_sharer(
    kind: Kind, told: Kind, put_uuid: int, got_uuid: int, held: P | None, shown: P | None
) -> bool:
    """Whether a get in the pool of `got_uuid` may show this (None: a miss) of what that of `put_uuid` holds.

    `kind` is that of the pool, `told` that which its getter asked for, or was told by pool flags.

    >>> swap = Kind(persistent=True, shared=True)
    >>> [shown_to_sharer(swap, swap, 5, 5, held="page", shown=shown) for shown in ("page", None)]
    [True, False]
    >>> shown_to_sharer(swap, swap, put_uuid=5, got_uuid=6, held="page", shown="page")
    False
    >>> shown_to_sharer(swap, Kind(shared=True), 5, 5, held="page", shown="page")     # asked for a cache
    False
    """
    if put_uuid != got_uuid:
        return shown is None
    return told == kind and untouched(kind, held, shown)


@clause(
    "TMEM-SHARE-2",
    "In a persistent shared pool (later Xen refuses to make one) the pages stay when a sharer leaves. In an "
    "ephemeral shared pool any page may vanish at any time, also when a sharer leaves. The last user to "
    "leave a pool ends it: its pages are gone.",
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
    return untouched(kind, before, after)
