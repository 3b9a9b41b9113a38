"""The clauses of pools: made, joined, ended, refused, asked for their flags."""

from __future__ import annotations

from collections.abc import Collection

from tmem.spec.abi.errors import POOL_REFUSED
from tmem.spec.abi.flags import kind_of, objection
from tmem.spec.answers import event, nowhere
from tmem.spec.clauses.clause import clause
from tmem.spec.handle import POOL_BITS
from tmem.spec.operations import Answer, DestroyPool, Operation, Raised
from tmem.spec.slot import Does, Kind, P, untouched


@clause(
    "TMEM-POOL-1",
    "A pool that is made is empty; a pool that is joined shows what it holds. The id that new pool returns "
    "has 31 bits and is never one that the client has in use. A client that joins a shared pool again gets "
    "a further id of it, and counts as a further user.",
    "X ours",
)
def new_pool(
    granted: int, live: Collection[int], kind: Kind, joined: bool, before: P | None, after: P | None
) -> bool:
    """Whether new pool may grant this id, and a slot of the pool may hold `after` where it held `before`.

    >>> new_pool(1, {0}, Kind(), joined=False, before=None, after=None)
    True
    >>> new_pool(0, {0}, Kind(), joined=False, before=None, after=None)       # the id is in use
    False
    >>> new_pool(1, {0}, Kind(), joined=False, before="old", after="old")     # what an ended pool held
    False
    """
    if granted in live or not 0 <= granted < 1 << POOL_BITS:
        return False
    return untouched(kind, before, after) if joined else after is None


@clause(
    "TMEM-POOL-2",
    "Pool ids belong to a client: no operation of one client touches or shows a page of another client's "
    "private pool.",
    "X I",
)
def private(
    kind: Kind, client: int, owner: int, before: P | None, after: P | None, shown: P | None = None
) -> bool:
    """Whether a call of `client` may leave, and show, this of a slot in a private pool of `owner`.

    >>> swap = Kind(persistent=True)
    >>> private(swap, 1, owner=1, before="page", after=None, shown="page")
    True
    >>> private(swap, 2, owner=1, before="page", after="page", shown="page")     # a foreign page is shown
    False
    >>> private(swap, 2, owner=1, before="page", after=None)                     # and here it is flushed
    False
    """
    return client == owner or (shown is None and untouched(kind, before, after))


@clause(
    "TMEM-POOL-3",
    "Destroy pool ends the id for that client, at one instant, and is never refused while the id is live. "
    "From then on, until new pool returns the id again, each operation on it raises ENODEV, or answers: put "
    "False, get None (or EEMPTY), flush False, destroy pool False.",
    "T X",
)
def destroyed(live: bool, operation: Operation, answer: Answer) -> bool:
    """Whether an operation may answer this on an id that stands for a pool (`live`), or for none.

    >>> from tmem.spec import DestroyPool, Get, Handle, Raised
    >>> destroy, get, enodev = DestroyPool(1, 0), Get(1, Handle(0, 7, 3)), Raised("OSError", 19)
    >>> destroyed(True, destroy, True), destroyed(True, destroy, enodev)
    (True, False)
    >>> destroyed(False, get, None), destroyed(False, get, enodev), destroyed(False, get, b"page")
    (True, True, False)
    """
    if not live:
        return nowhere(operation, answer)
    return not isinstance(operation, DestroyPool) or event(operation, answer).does is Does.ENDED


@clause(
    "TMEM-POOL-4",
    "Flags that the backend does not take are refused with EPERM, and no pool is made. Any request may be "
    "refused for want of room, with ENOMEM or EPERM.",
    "X",
)
def flags_taken(flags: int, page_size: int, answer: Answer, made: bool) -> bool:
    """Whether new pool may answer this to these flags, and has `made` or joined a pool.

    >>> flags_taken(1 << 24, 4096, 0, made=True), flags_taken(1 << 24, 4096, Raised("OSError", 12), False)
    (True, True)
    >>> flags_taken(0x01000004, 4096, 0, made=True)                  # precompressed pages are not taken
    False
    >>> flags_taken(0x01000004, 4096, Raised("OSError", 22), False)  # and EINVAL is not how to say so
    False
    """
    if isinstance(answer, Raised):
        return answer.errno in POOL_REFUSED and not made
    return objection(flags, page_size) is None and made


@clause(
    "TMEM-POOL-5",
    "Where a backend offers pool flags, they are those of the pool that was granted, and stay the same. They "
    "are those that were asked for, with two exceptions: a pool that was joined has the kind that its maker "
    "asked for, and a shared request may have got a private pool. Pool flags tell the latter before anything "
    "else is done with the id.",
    "ours",
)
def flags_told(
    asked: Kind, granted: Kind, fresh: bool, answer: Answer, uuid: int | None, page_size: int
) -> bool:
    """Whether pool flags of a live id may answer this; `fresh`: nothing else was done with the id yet.

    `granted` is the kind of the pool, by all that is known: the one asked for, or its maker's.

    >>> cache, common = Kind(), Kind(shared=True)
    >>> flags_told(cache, cache, True, 0x01000000, None, 4096), flags_told(cache, cache, True, 1, None, 4096)
    (True, False)
    >>> [flags_told(common, common, fresh, 0x01000000, 5, 4096) for fresh in (True, False)]
    [True, False]
    """
    if not isinstance(answer, int) or objection(answer, page_size) is not None:
        return False
    flagged = kind_of(answer, uuid)
    return flagged == granted or (fresh and flagged == Kind(asked.persistent))
