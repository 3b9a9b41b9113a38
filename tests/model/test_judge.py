"""The judge allows what the contract allows, and says which clause a wrong answer breaks."""

from __future__ import annotations

import pytest

from tmem.model import Judge
from tmem.spec import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    Handle,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)

SIZE = 8
EPHEMERAL, PERSISTENT, SHARED, BOTH = 0x01000000, 0x01000001, 0x01000002, 0x01000003
AT = Handle(0, 7, 3)
A, B, C = (bytes([n]) * SIZE for n in (1, 2, 3))
ENODEV, ENOMEM, EINVAL = (Raised("OSError", errno) for errno in (19, 12, 22))
EFROZEN, EEMPTY = Raised("OSError", 1000), Raised("OSError", 1001)
Steps = list[tuple[Operation, Answer]]


def judged(*steps: tuple[Operation, Answer]) -> str | None:
    """The clause that the last step breaks; all before it must be allowed."""
    judge = Judge(SIZE, scribble=b"scribble")
    for operation, answer in steps[:-1]:
        assert (violation := judge.observe(operation, answer)) is None, violation
    violation = judge.observe(*steps[-1])
    return None if violation is None else violation.clause


def pool(
    flags: int = EPHEMERAL, client: int = 1, id: int = 0, uuid: int | None = None
) -> tuple[Operation, Answer]:
    return NewPool(client, flags, uuid), id


def put(page: bytes = A, answer: Answer = True, at: Handle = AT, client: int = 1) -> tuple[Operation, Answer]:
    return Put(client, at, page), answer


def get(answer: Answer, at: Handle = AT, client: int = 1) -> tuple[Operation, Answer]:
    return Get(client, at), answer


flush = (FlushPage(1, AT), True)
no_flush = (FlushPage(1, AT), False)
OUT = Handle(0, 1 << 192, 0)
flush_object = (FlushObject(1, 0, 7), False)
destroy = (DestroyPool(1, 0), True)

ALLOWED: dict[str, Steps] = {
    "a hit": [pool(), put(), get(A)],
    "an ephemeral page that vanished": [pool(), put(), get(None)],
    "a miss by errno": [pool(), put(), get(EEMPTY), get(None)],
    "a persistent page hits again": [pool(PERSISTENT), put(), get(A), get(A)],
    "a shared ephemeral hit may keep": [pool(SHARED, uuid=5), put(), get(A), get(A)],
    "a shared ephemeral hit may remove": [pool(SHARED, uuid=5), put(), get(A), get(None)],
    "shared without uuid is private": [pool(SHARED), put(), get(A), get(None)],
    "a put refused by errno": [pool(PERSISTENT), put(answer=ENOMEM), get(None)],
    "a get that failed is no miss": [pool(), put(), get(ENOMEM), get(A)],
    "a duplicate replaced": [pool(PERSISTENT), put(A), put(B), get(B)],
    "a frozen flush has flushed": [pool(PERSISTENT), put(A), (FlushPage(1, AT), EFROZEN), get(None)],
    "dead pools answer softly or not": [pool(), destroy, put(answer=False), get(None), get(ENODEV), no_flush],
    "a bad argument on a dead pool": [get(ENODEV, OUT), get(EINVAL, OUT), put(b"short", ENODEV)],
    "an id of 31 bits": [pool(id=(1 << 31) - 1)],
    "a client out of range": [(NewPool(1 << 16), EINVAL), (NewPool(-1), Raised("ValueError"))],
    "a uuid out of range": [(NewPool(1, SHARED, 1 << 128), EINVAL), (NewPool(1, SHARED, -1), EINVAL)],
    "a uuid that does not count": [(NewPool(1, EPHEMERAL, 1 << 128), 0), put(), get(A), get(None)],
    "a uuid of all ones": [(NewPool(1, SHARED, (1 << 128) - 1), 0), put(), get(A), get(None)],
    "a second join by one client": [pool(BOTH, uuid=5), pool(BOTH, 1, 1, 5), put(), get(A, Handle(1, 7, 3))],
    "one of two joins is ended": [
        *(pool(BOTH, uuid=5), pool(BOTH, 1, 1, 5), put(), destroy, get(A, Handle(1, 7, 3))),
    ],
    "a join as another kind, which pool flags report": [
        *(pool(BOTH, uuid=5), pool(SHARED, 2, 0, 5), (PoolFlags(2, 0), BOTH), put(), get(A, client=2)),
    ],
    "a join as another kind, ended at once": [
        *(pool(BOTH, uuid=5), pool(SHARED, 2, 0, 5), (DestroyPool(2, 0), True)),
    ],
    "pool flags twice": [
        pool(SHARED, uuid=5),
        *[(PoolFlags(1, 0), EPHEMERAL)] * 2,
        put(),
        get(A),
        get(None),
    ],
    "reclaim of less than nothing": [(Reclaim(-1), EINVAL)],
    "an id comes back": [pool(), destroy, pool(PERSISTENT), put(), get(A), get(A)],
    "pools of two clients": [pool(), pool(client=2), put(), get(None, client=2), get(A)],
    "sharers see each other": [pool(BOTH, uuid=5), pool(BOTH, 2, 4, 5), put(), get(A, Handle(4, 7, 3), 2)],
    "a sharer leaves": [pool(BOTH, uuid=5), pool(BOTH, 2, 4, 5), put(), destroy, get(A, Handle(4, 7, 3), 2)],
    "flags refused": [(NewPool(1, 0x01000004), Raised("OSError", 1))],
    "version 0 counts as 1": [(NewPool(1, 1), 0), put(), get(A), get(A)],
    "bad arguments refused": [
        pool(),
        put(b"short", EINVAL),
        get(Raised("OverflowError"), Handle(0, 1 << 192, 0)),
    ],
    "a private pool instead of a shared one, which pool flags report": [
        *(pool(BOTH, uuid=5), (PoolFlags(1, 0), PERSISTENT), pool(BOTH, 2, 0, 5), put()),
        *(get(None, client=2), get(A)),
    ],
    "flags of no pool": [(PoolFlags(1, 0), ENODEV), pool(PERSISTENT), put(), get(A), get(A)],
    "reclaim takes ephemeral pages": [pool(), put(), (Reclaim(1), 1), get(None)],
}

BROKEN: dict[str, tuple[str, Steps]] = {
    "the old page after a duplicate": ("TMEM-PUT-3", [pool(), put(A), put(B), get(A)]),
    "the old page after a failed duplicate": ("TMEM-PUT-1", [pool(), put(A), put(B, False), get(A)]),
    "the old page, which is in another slot too": (
        "TMEM-PUT-3",
        [pool(), put(A), put(B), put(A, at=Handle(0, 7, 4)), get(A)],
    ),
    "the page of a failed put": ("TMEM-PUT-1", [pool(), put(A, False), get(A)]),
    "a page nobody put": ("TMEM-PUT-2", [pool(), put(A), get(C)]),
    "a page of another length": ("TMEM-PUT-2", [pool(), put(A), get(A + b"x")]),
    "the caller's buffer": ("TMEM-PUT-4", [pool(), put(A), get(b"scribble")]),
    "a page after a miss": ("TMEM-GET-1", [pool(), put(A), get(None), get(A)]),
    "an exclusive page twice": ("TMEM-GET-2", [pool(), put(A), get(A), get(A)]),
    "a persistent page lost": ("TMEM-GET-3", [pool(PERSISTENT), put(A), get(None)]),
    "a persistent page denied": ("TMEM-GET-3", [pool(PERSISTENT), put(A), get(ENODEV)]),
    "a persistent page, and no memory": ("TMEM-GET-3", [pool(PERSISTENT), put(A), get(ENOMEM)]),
    "a put that says nothing changed": ("TMEM-PUT-1", [pool(PERSISTENT), put(A), put(B, EINVAL)]),
    "a destroy refused": ("TMEM-POOL-3", [pool(), (DestroyPool(1, 0), EINVAL)]),
    "a flush that found what is dead": ("TMEM-POOL-3", [pool(), destroy, flush]),
    "a dead pool out of memory": ("TMEM-POOL-3", [pool(), destroy, put(answer=ENOMEM)]),
    "a destroy of nothing": ("TMEM-POOL-3", [destroy]),
    "flags of a dead pool": ("TMEM-POOL-3", [(PoolFlags(1, 0), EPHEMERAL)]),
    "a kind that nobody asked for": ("TMEM-POOL-5", [pool(PERSISTENT), (PoolFlags(1, 0), EPHEMERAL)]),
    "pool flags that are refused": ("TMEM-POOL-5", [pool(), (PoolFlags(1, 0), EINVAL)]),
    "flags of no version": ("TMEM-POOL-5", [pool(), (PoolFlags(1, 0), 0x02000000)]),
    "pool flags that report the kind too late": (
        "TMEM-POOL-5",
        [pool(SHARED, uuid=5), put(A), (PoolFlags(1, 0), EPHEMERAL)],
    ),
    "a join as another kind": (
        "TMEM-SHARE-1",
        [pool(BOTH, uuid=5), pool(SHARED, 2, 0, 5), put(A), get(A, client=2)],
    ),
    "an id below zero": ("TMEM-POOL-1", [pool(id=-1)]),
    "an id of 32 bits": ("TMEM-POOL-1", [pool(id=1 << 31)]),
    "good flags refused by another errno": ("TMEM-POOL-4", [(NewPool(1), EINVAL)]),
    "a client out of range granted": ("TMEM-ARG-1", [(NewPool(1 << 16), 0)]),
    "a miss of a bad argument on a dead pool": ("TMEM-ARG-1", [get(None, OUT)]),
    "a miss of a bad argument": ("TMEM-ARG-1", [pool(), get(ENODEV, OUT)]),
    "more reclaimed than asked": ("TMEM-ERR-1", [(Reclaim(1), 2)]),
    "less than nothing reclaimed": ("TMEM-ARG-1", [(Reclaim(-1), 0)]),
    "a page after flush page": ("TMEM-FLUSH-1", [pool(), put(A), flush, get(A)]),
    "a page after flush object": ("TMEM-FLUSH-2", [pool(), put(A), flush_object, get(A)]),
    "a page after destroy": ("TMEM-POOL-3", [pool(), put(A), destroy, get(A)]),
    "a page in the pool made anew": ("TMEM-POOL-3", [pool(), put(A), destroy, pool(), get(A)]),
    "a put into a dead pool": ("TMEM-POOL-3", [pool(), destroy, put(A)]),
    "an id that is live": ("TMEM-POOL-1", [pool(), pool()]),
    "flags granted": ("TMEM-POOL-4", [(NewPool(1, 0x01000100), 0)]),
    "flags refused in another way": ("TMEM-POOL-4", [(NewPool(1, 0x02000000), EINVAL)]),
    "another client's page": ("TMEM-POOL-2", [pool(), pool(client=2), put(A), get(A, client=2)]),
    "a sharer's page in a private pool": (
        "TMEM-POOL-2",
        [pool(SHARED, uuid=5), pool(client=2), put(A), get(A, client=2)],
    ),
    "another slot's page": ("TMEM-HANDLE-1", [pool(), put(A), get(A, Handle(0, 7, 4))]),
    "another pool's page": ("TMEM-HANDLE-1", [pool(), pool(id=1), put(A), get(A, Handle(1, 7, 3))]),
    "a handle cut short": ("TMEM-HANDLE-2", [pool(), put(A), get(A, Handle(0, 7 | 1 << 64, 3))]),
    "no handle cut short: the lowest bit differs": (
        "TMEM-HANDLE-1",
        [pool(), put(A), get(A, Handle(0, 6 | 1 << 64, 3))],
    ),
    "an index cut short": ("TMEM-HANDLE-2", [pool(), put(A), get(A, Handle(0, 7, 3 | 1 << 16))]),
    "a page of another uuid": (
        "TMEM-SHARE-1",
        [pool(SHARED, uuid=5), pool(SHARED, 2, 0, 6), put(A), get(A, client=2)],
    ),
    "a page of the client's pool of another uuid": (
        "TMEM-SHARE-1",
        [pool(SHARED, uuid=5), pool(SHARED, 1, 1, 6), put(A), get(A, Handle(1, 7, 3))],
    ),
    "a sharer does not see": (
        "TMEM-SHARE-1",
        [pool(BOTH, uuid=5), pool(BOTH, 2, 0, 5), put(A), get(None, client=2)],
    ),
    "a sharer's leaving takes pages": (
        "TMEM-SHARE-2",
        [pool(BOTH, uuid=5), pool(BOTH, 2, 0, 5), put(A), destroy, get(None, client=2)],
    ),
    "pages outlive the last sharer": (
        "TMEM-POOL-3",
        [pool(SHARED, uuid=5), put(A), destroy, pool(SHARED, uuid=5), get(A)],
    ),
    "a persistent page reclaimed": ("TMEM-RECLAIM-1", [pool(PERSISTENT), put(A), (Reclaim(1), 1), get(None)]),
    "an argument out of range": ("TMEM-ARG-1", [pool(), get(None, Handle(0, 7, 1 << 32))]),
    "a refused put was done": (
        "TMEM-ARG-1",
        [pool(), put(A, EINVAL, Handle(0, 7, 3 | 1 << 32)), get(A)],
    ),
    "a long page stored": ("TMEM-ARG-1", [pool(), put(A + A)]),
    "an exception of its own": ("TMEM-ERR-1", [pool(), get(Raised("KeyError"))]),
    "an errno of its own": ("TMEM-ERR-1", [pool(), put(answer=Raised("OSError", 5))]),
    "a wrong type": ("TMEM-ERR-1", [pool(), (FlushPage(1, AT), None)]),
    "a number for a bool": ("TMEM-ERR-1", [pool(), put(answer=1)]),
    "a bool for a number": ("TMEM-ERR-1", [pool(id=True)]),
}


@pytest.mark.parametrize("steps", ALLOWED.values(), ids=ALLOWED)
def test_allowed(steps: Steps) -> None:
    assert judged(*steps) is None


@pytest.mark.parametrize(("clause", "steps"), BROKEN.values(), ids=BROKEN)
def test_broken(clause: str, steps: Steps) -> None:
    assert judged(*steps) == clause


def test_what_a_slot_may_hold() -> None:
    judge = Judge(SIZE)
    judge.observe(*pool(PERSISTENT))
    assert judge.record.may_hold(1, AT).page is None
    judge.observe(*put(A))
    assert judge.record.may_hold(1, AT) == (A, True)


def test_a_violation_tells_the_life_of_the_page() -> None:
    judge = Judge(SIZE)
    for step in (pool(), put(A), put(B)):
        judge.observe(*step)
    violation = judge.observe(*get(A))
    assert violation is not None
    assert "put #2" in violation.message
    assert "a later put to its slot (#3) had ended" in violation.message
    assert "put #3" in violation.allowed


@pytest.mark.parametrize("flush", [FlushPage(1, Handle(0, 7, 0)), FlushObject(1, 0, 7)])
@pytest.mark.parametrize("errno", [1, 12, 19, 22, 1001])
def test_no_flush_of_a_live_pool_is_denied(flush: FlushPage | FlushObject, errno: int) -> None:
    judge = Judge()
    assert judge.observe(flush, Raised("OSError", 19)) is None, "there is no such pool"
    assert judge.observe(NewPool(1), 0) is None
    assert judge.observe(flush, Raised("OSError", 1000)) is None, "a flush that answers EFROZEN has flushed"
    denied = judge.observe(flush, Raised("OSError", errno))
    assert denied is not None
    assert denied.clause == ("TMEM-FLUSH-1" if isinstance(flush, FlushPage) else "TMEM-FLUSH-2")
