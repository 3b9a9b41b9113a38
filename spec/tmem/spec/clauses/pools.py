"""The clauses of pools: made, joined, ended, refused."""

from __future__ import annotations

from collections.abc import Set

from tmem.spec.abi.errors import ENOMEM, EPERM
from tmem.spec.abi.flags import objection
from tmem.spec.clauses.clause import clause
from tmem.spec.operations import Answer, Raised
from tmem.spec.slot import Does, Event, P


@clause(
    "TMEM-POOL-1",
    "A pool that is made is empty; a pool that is joined shows what it holds. Its id is not that of a live "
    "pool of the client.",
    "X",
)
def new_pool(granted: int, live: Set[int], joined: bool, before: P | None, after: P | None) -> bool:
    """Whether new pool may grant this id, and a slot of the pool may hold `after` where it held `before`.

    >>> new_pool(1, {0}, joined=False, before=None, after=None)
    True
    >>> new_pool(0, {0}, joined=False, before=None, after=None)       # the id is taken
    False
    >>> new_pool(1, {0}, joined=False, before="old", after="old")     # what a dead pool held
    False
    """
    return granted not in live and after == (before if joined else None)


@clause(
    "TMEM-POOL-2",
    "Pool ids are per client: no operation of one client touches or shows another's private pool.",
    "X I",
)
def private(client: int, owner: int, before: P | None, after: P | None, shown: P | None = None) -> bool:
    """Whether a call of `client` may leave, and show, this of a slot in a private pool of `owner`.

    >>> private(1, owner=1, before="page", after=None, shown="page")
    True
    >>> private(2, owner=1, before="page", after="page", shown="page")     # a foreign page is shown
    False
    >>> private(2, owner=1, before="page", after=None)                     # and here it is flushed
    False
    """
    return client == owner or (after == before and shown is None)


@clause(
    "TMEM-POOL-3",
    "Destroy ends the pool for that client, at one instant: afterwards operations on the id fail (ENODEV; or "
    "put fails, get misses, flush finds nothing) until new pool returns the id again. When its last user "
    "leaves, the pool's pages are gone.",
    "T X",
)
def destroyed(event: Event[P]) -> bool:
    """Whether an operation on an id without a pool may have done this.

    >>> destroyed(Event(Does.MISS)), destroyed(Event(Does.REFUSED)), destroyed(Event(Does.NOTHING))
    (True, True, True)
    >>> destroyed(Event(Does.STORED, "page")), destroyed(Event(Does.HIT, "page"))
    (False, False)
    """
    return event.does not in (Does.STORED, Does.HIT)


@clause(
    "TMEM-POOL-4",
    "Flags a backend does not take are refused with EPERM and no pool is made; new pool may also refuse for "
    "want of room (ENOMEM, EPERM).",
    "X",
)
def flags_taken(flags: int, page_size: int, answer: Answer) -> bool:
    """Whether new pool may answer this to these flags.

    >>> flags_taken(0x01000000, 4096, 0), flags_taken(0x01000000, 4096, Raised("OSError", 12))
    (True, True)
    >>> flags_taken(0x01000004, 4096, 0)                      # precompressed pages are not taken
    False
    >>> flags_taken(0x01000004, 4096, Raised("OSError", 22))  # and EINVAL is not how to say so
    False
    """
    if objection(flags, page_size) is None:
        return True
    return isinstance(answer, Raised) and answer.errno in (EPERM, ENOMEM)
