"""What the judge says besides the clause: what came, why it may not, and what would have been right."""

from __future__ import annotations

import pytest

from tests.model.test_judge import (
    AT,
    BOTH,
    BROKEN,
    EINVAL,
    EPHEMERAL,
    PERSISTENT,
    SHARED,
    SIZE,
    A,
    B,
    C,
    Steps,
    destroy,
    get,
    pool,
    put,
)
from tmem.model import Judge
from tmem.model.violation import Violation
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
    Raised,
    Reclaim,
)

ODD = "a bool, or OSError with an errno of the ABI"
ODD_PAGE = "bytes or None, or OSError with an errno of the ABI"
ODD_ID = "an int, or OSError with an errno of the ABI"
UNTAKEN = "which no backend takes"
NONE = "a miss"
SOFT = "ENODEV, or False"
REFUSED = "An argument out of range was not refused."
HELD = "the page of put #{}, or a miss"


def back(put: int = 2, of: str = "⟨0, 7, 3⟩", *, at: str = "⟨0, 7, 3⟩", client: int = 1, by: int = 1) -> str:
    return f"At {at} of client {client} there came back the page of put #{put} at {of} by client {by}"


def ended(what: str, number: int = 3) -> str:
    return f"{back()}, which {what} (#{number}) had ended."


def gone(put: int) -> str:
    return f"A persistent page is gone: the page of put #{put} at ⟨0, 7, 3⟩ by client 1."


WORDS = {
    "the old page after a duplicate": (ended("a later put to its slot"), HELD.format(3)),
    "the old page after a failed duplicate": (ended("a put that failed"), NONE),
    "the old page, which is in another slot too": (ended("a later put to its slot"), HELD.format(3)),
    "the page of a failed put": (ended("a put that failed", 2), NONE),
    "a page nobody put": ("A page came back that nobody ever put.", HELD.format(2)),
    "a page of another length": ("9 bytes came back, not a page of 8.", HELD.format(2)),
    "the caller's buffer": (
        "What the caller wrote into its buffer after the put came back.",
        HELD.format(2),
    ),
    "a page after a miss": (ended("a get of its slot that missed"), NONE),
    "an exclusive page twice": (ended("an exclusive hit"), NONE),
    "a persistent page lost": (gone(2), "that page"),
    "a persistent page denied": (gone(2), "that page"),
    "a persistent page, and no memory": (gone(2), "that page"),
    "a put that says nothing changed": (
        "Put answered EINVAL, though the pool is live.",
        "True, or a put that fails by False, ENOMEM, ENOSPC or EFROZEN",
    ),
    "a destroy refused": (
        "DestroyPool answered EINVAL, though the pool is live.",
        "True or False: the pool has ended",
    ),
    "a flush that found what is dead": ("FlushPage answered True, but client 1 has no pool 0.", SOFT),
    "a dead pool out of memory": ("Put raised ENOMEM, but client 1 has no pool 0.", SOFT),
    "a destroy of nothing": ("DestroyPool answered True, but client 1 has no pool 0.", SOFT),
    "flags of a dead pool": ("PoolFlags answered 16777216, but client 1 has no pool 0.", "ENODEV"),
    "a kind that nobody asked for": (
        "Pool flags are EPHEMERAL. The pool is private persistent.",
        "the flags of the pool",
    ),
    "pool flags that are refused": (
        "PoolFlags raised EINVAL. The pool is private ephemeral.",
        "the flags of the pool",
    ),
    "flags of no version": (
        "Pool flags are EPHEMERAL|version 2. The pool is private ephemeral.",
        "the flags of the pool",
    ),
    "pool flags that report the kind too late": (
        "Pool flags are EPHEMERAL. The pool is shared ephemeral.",
        "the flags of the pool",
    ),
    "a join as another kind": (
        "A request for a shared ephemeral pool joined one that is shared persistent, "
        "and pool flags do not say so.",
        "a refusal to join, or pool flags that report the maker's kind",
    ),
    "an id below zero": ("Pool id -1 is out of range.", "an id of 31 bits"),
    "an id of 32 bits": ("Pool id 2147483648 is out of range.", "an id of 31 bits"),
    "good flags refused by another errno": ("NewPool raised EINVAL.", "the id of a pool, EPERM or ENOMEM"),
    "a client out of range granted": (REFUSED, "EINVAL, and nothing changes"),
    "a miss of a bad argument on a dead pool": (REFUSED, "EINVAL, and nothing changes"),
    "a miss of a bad argument": (REFUSED, "EINVAL, and nothing changes"),
    "more reclaimed than asked": ("Reclaim answered 2.", "a number of pages from 0 to 1"),
    "less than nothing reclaimed": (REFUSED, "EINVAL, and nothing changes"),
    "a page after flush page": (ended("a flush of its slot"), NONE),
    "a page after flush object": (ended("a flush of its object"), NONE),
    "a page after destroy": (ended("the end of its pool"), "a miss, or ENODEV"),
    "a page in the pool made anew": (ended("the end of its pool"), NONE),
    "a put into a dead pool": (
        "A put was stored in pool 0, which client 1 has not.",
        "ENODEV, or a put that fails",
    ),
    "an id that is live": ("Pool id 0 is that of a live pool of client 1.", "an id that is not live"),
    "flags granted": (
        f"NewPool answered 0 for the flags EPHEMERAL|RESERVED 0x100, {UNTAKEN}: reserved bits are set.",
        "EPERM, and no pool",
    ),
    "flags refused in another way": (
        f"NewPool raised EINVAL for the flags EPHEMERAL|version 2, {UNTAKEN}: version 2 is unknown.",
        "EPERM, and no pool",
    ),
    "another client's page": (back(3, client=2) + ".", NONE),
    "a sharer's page in a private pool": (back(3, client=2) + ".", NONE),
    "another slot's page": (back(at="⟨0, 7, 4⟩") + ".", NONE),
    "another pool's page": (back(3, at="⟨1, 7, 3⟩") + ".", NONE),
    "a handle cut short": (back(at="⟨0, 0x0:1:7, 3⟩") + ".", NONE),
    "no handle cut short: the lowest bit differs": (back(at="⟨0, 0x0:1:6, 3⟩") + ".", NONE),
    "an index cut short": (back(at="⟨0, 7, 65539⟩") + ".", NONE),
    "a page of another uuid": (back(3, client=2) + ".", NONE),
    "a page of the client's pool of another uuid": (back(3, at="⟨1, 7, 3⟩") + ".", NONE),
    "a sharer does not see": (gone(3), "that page"),
    "a sharer's leaving takes pages": (gone(3), "that page"),
    "pages outlive the last sharer": (ended("the end of its pool"), NONE),
    "a persistent page reclaimed": (gone(2), "that page"),
    "an argument out of range": ("An argument out of range was not refused.", "EINVAL, and nothing changes"),
    "a refused put was done": (
        back(of="⟨0, 7, 4294967299⟩") + ", which the refusal of a put of it (#2) had ended.",
        NONE,
    ),
    "a long page stored": ("An argument out of range was not refused.", "EINVAL, and nothing changes"),
    "an exception of its own": ("Get raised KeyError().", ODD_PAGE),
    "an errno of its own": ("Put raised errno 5.", ODD),
    "a wrong type": ("FlushPage answered None.", ODD),
    "a number for a bool": ("Put answered 1.", ODD),
    "a bool for a number": ("NewPool answered True.", ODD_ID),
}
"""Of what breaks a clause in test_judge.py: what came, and what is allowed."""


def last(*steps: tuple[Operation, Answer]) -> Violation:
    """The violation of the last step, which is the first."""
    judge = Judge(SIZE, scribble=b"scribble")
    found = [judge.observe(*step) for step in steps]
    assert found[:-1] == [None] * (len(steps) - 1)
    assert found[-1] is not None
    return found[-1]


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_said(name: str) -> None:
    steps = BROKEN[name][1]
    violation = last(*steps)
    assert (violation.message, violation.allowed) == WORDS[name]
    assert violation.number == sum(not isinstance(operation, PoolFlags) for operation, _ in steps)
    assert (violation.operation, violation.answer) == steps[-1]


@pytest.mark.parametrize(
    ("flush", "clause", "message"),
    [
        (FlushPage(1, AT), "TMEM-FLUSH-1", "FlushPage answered ENOMEM, though the pool is live."),
        (FlushObject(1, 0, 7), "TMEM-FLUSH-2", "FlushObject answered ENOMEM, though the pool is live."),
    ],
)
def test_what_is_said_of_a_denied_flush(flush: FlushPage | FlushObject, clause: str, message: str) -> None:
    violation = last(pool(), (flush, Raised("OSError", 12)))
    assert (violation.clause, violation.message) == (clause, message)
    assert violation.allowed == "True, False or EFROZEN: it has flushed"


def test_a_sure_page_is_the_only_one_allowed() -> None:
    assert last(pool(PERSISTENT), put(A), get(C)).allowed == "the page of put #2"


def test_a_long_answer_is_cut() -> None:
    assert last(pool(), (DestroyPool(1, 0), 10**60)).message == f"DestroyPool answered 1{'0' * 39}."


OTHER = Handle(0, 7, 4)
SECOND = Handle(1, 7, 3)
LIVES: dict[str, tuple[str, str, Steps]] = {
    # Among equal pages, the message names the one that had already ended.
    "of two ended here the later": (
        "TMEM-FLUSH-1",
        "put #4 at ⟨0, 7, 3⟩",
        [pool(), put(A), put(B), put(A), (FlushPage(1, AT), True), get(A)],
    ),
    "ended here before it was put elsewhere and ended there": (
        "TMEM-FLUSH-2",
        "put #2 at ⟨0, 7, 3⟩",
        [
            pool(),
            put(A),
            (FlushObject(1, 0, 7), True),
            put(A, at=OTHER),
            (FlushPage(1, OTHER), True),
            get(A),
        ],
    ),
    "ended in this slot of another pool": (
        "TMEM-HANDLE-1",
        "put #4 at ⟨1, 7, 3⟩",
        [pool(), pool(id=1), put(B), put(A, at=SECOND), (FlushPage(1, SECOND), True), get(A)],
    ),
    "a put that failed does not take the place of one that lives": (
        "TMEM-HANDLE-1",
        "put #2 at ⟨0, 7, 4⟩ by client 1.",
        [pool(), put(A, at=OTHER), put(A, False), get(A)],
    ),
    "a put that failed takes the place of one that ended": (
        "TMEM-PUT-1",
        "a put that failed (#4)",
        [pool(), put(A, at=OTHER), (FlushPage(1, OTHER), True), put(A, False), get(A)],
    ),
    "a put that failed does not hide the one that ended here": (
        "TMEM-FLUSH-1",
        "put #2 at ⟨0, 7, 4⟩",
        [pool(), put(A, at=OTHER), (FlushPage(1, OTHER), True), put(A, False), get(A, OTHER)],
    ),
    "puts that failed are counted": (
        "TMEM-RECLAIM-1",
        "put #3",
        [pool(PERSISTENT), put(B, False, OTHER), put(A), put(B, False, OTHER), get(None)],
    ),
    "a put that was refused": (
        "TMEM-ARG-1",
        "put #2 at ⟨0, 7, 4294967299⟩ by client 1, which the refusal of a put of it (#2)",
        [pool(), put(A, EINVAL, Handle(0, 7, 3 | 1 << 32)), get(A)],
    ),
    "a put into no pool": (
        "TMEM-POOL-3",
        "put #1 at ⟨0, 7, 3⟩ by client 1, which the end of its pool (#1)",
        [put(A, False), pool(), get(A)],
    ),
    "a persistent page of before the pressure": (
        "TMEM-RECLAIM-1",
        "put #2",
        [pool(PERSISTENT), put(A), put(B, False, OTHER), get(None)],
    ),
    "a persistent page of after the pressure": (
        "TMEM-GET-3",
        "put #6",
        [
            pool(PERSISTENT),
            (Reclaim(1), 0),
            put(B, False, OTHER),
            get(None, OTHER),
            (Reclaim(1), 0),
            put(A),
            get(None),
        ],
    ),
    "a page that vanished is pressure": (
        "TMEM-RECLAIM-1",
        "put #3",
        [pool(PERSISTENT), pool(id=1), put(A), put(B, at=SECOND), get(None, SECOND), get(None)],
    ),
    "a miss of an empty slot is none": (
        "TMEM-GET-3",
        "put #3",
        [pool(PERSISTENT), pool(id=1), put(A), get(None, SECOND), get(None)],
    ),
    "pages that vanished are counted": (
        "TMEM-RECLAIM-1",
        "put #5",
        [
            *(pool(PERSISTENT), pool(id=1), put(B, at=SECOND), get(None, SECOND)),
            *(put(A), put(C, at=SECOND), get(None, SECOND), get(None)),
        ],
    ),
    "a page of the pool that this one was shared with": (
        "TMEM-POOL-2",
        "put #3",
        [
            *(pool(SHARED, uuid=5), pool(SHARED, 2, 0, 5), put(A, client=2)),
            *((PoolFlags(1, 0), EPHEMERAL), get(A)),
        ],
    ),
    "pressure is counted": (
        "TMEM-RECLAIM-1",
        "put #4",
        [pool(PERSISTENT), (Reclaim(1), 0), (Reclaim(1), 0), put(A), (Reclaim(1), 0), get(None)],
    ),
    "a page that was put after a sharer left": (
        "TMEM-GET-3",
        "put #4",
        [pool(BOTH, uuid=5), pool(BOTH, 2, 0, 5), (DestroyPool(2, 0), True), put(A), get(None)],
    ),
    "the pool of a uuid is made anew": (
        "TMEM-SHARE-1",
        "put #6",
        [
            pool(BOTH, uuid=5),
            destroy,
            pool(BOTH, uuid=5),
            pool(BOTH, 2, 0, 5),
            (NewPool(2, BOTH, 6), 1),
            put(A),
            get(A, Handle(1, 7, 3), 2),
        ],
    ),
}


@pytest.mark.parametrize(("clause", "words", "steps"), LIVES.values(), ids=LIVES)
def test_which_life_of_a_page_is_told(clause: str, words: str, steps: Steps) -> None:
    violation = last(*steps)
    assert violation.clause == clause
    assert words in violation.message


def test_a_page_without_pool_is_allowed_to_be_missed_or_denied() -> None:
    assert last((Get(1, AT), A)).allowed == "a miss, or ENODEV"


def test_a_page_has_4096_bytes_where_nothing_else_is_said() -> None:
    assert Judge().record.page_size == 4096
    assert Judge().record.scribble is None
