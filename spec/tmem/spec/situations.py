"""The contract as a table: every operation in every situation, with each answer that is permitted.

No row is typed. `outcome` asks the functions that decide (`answers`, `belief`, the clauses of pools), and
`TABLE` is what it says to each candidate of `candidates`. Calls that overlap are the business of `history`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tmem.spec.abi.errors import EFROZEN, NAMES
from tmem.spec.abi.flags import PERSIST, PRECOMPRESSED, SHARED
from tmem.spec.answers import REFUSALS, declared, event, fits, nowhere, refused
from tmem.spec.belief import Belief, learn
from tmem.spec.clauses.pools import destroyed, flags_taken, flags_told
from tmem.spec.handle import OBJECT_BITS, Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does, Kind

PAGE_SIZE: Final = 4
OLD: Final = b"old "
NEW: Final = b"new "
OTHER: Final = b"else"
VERSION: Final = 1 << 24
UUID: Final = 5
_SLOT: Final = Handle(0, 7, 3)
_RESERVED: Final = Handle(0, (1 << OBJECT_BITS) - 1, 3)
_BEYOND: Final = Handle(0, 1 << OBJECT_BITS, 3)
_EMPTY: Final[Belief[bytes]] = Belief()


@dataclass(frozen=True, slots=True)
class Situation:
    """When an operation is called: on a live pool of this kind or on none, where its slot may hold `holds`.

    `barred`: nothing can be stored, for want of room, since the client is frozen, or since the backend
    reserves the object id.
    """

    name: str
    operation: Operation
    kind: Kind | None = None
    holds: Belief[bytes] = _EMPTY
    barred: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers that mean the same: what they mean, what the slot may hold then, the clauses that say so."""

    answers: tuple[Answer, ...]
    meaning: str
    afterwards: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A situation and every outcome that is permitted in it."""

    situation: Situation
    outcomes: tuple[Outcome, ...]


KINDS: Final = (Kind(), Kind(shared=True), Kind(persistent=True), Kind(persistent=True, shared=True))
"""Every kind of pool."""
MEANINGS: Final = {
    Does.STORED: ("the put stored the page", "TMEM-PUT-2"),
    Does.REFUSED: ("the put failed", "TMEM-PUT-1 TMEM-MAY-2"),
    Does.HIT: ("hit", "TMEM-PUT-2"),
    Does.MISS: ("miss", "TMEM-GET-1 TMEM-MAY-4"),
    Does.DENIED: ("the get was denied", "TMEM-MAY-5"),
    Does.FLUSHED: ("flushed", "TMEM-FLUSH-1 TMEM-MAY-6"),
    Does.ENDED: ("the id has ended for the client", "TMEM-POOL-3"),
}
"""What each event means, and the clauses that say so in any pool."""


def candidates() -> tuple[Answer, ...]:
    """Answers of every type, every errno of the ABI, and the exceptions that refuse arguments.

    >>> [str(answer) for answer in candidates()[-3:]]
    ['OverflowError()', 'TypeError()', 'ValueError()']
    """
    flags = tuple(VERSION | bits for bits in (0, PERSIST, SHARED, PERSIST | SHARED))
    errors = tuple(Raised("OSError", errno) for errno in NAMES)
    return (True, False, None, OLD, NEW, OTHER, 0, 1, 2, *flags, *errors, *map(Raised, sorted(REFUSALS)))


def outcome(situation: Situation, answer: Answer) -> Outcome | None:
    """What the answer means in the situation; None where the contract does not permit it.

    >>> swap = Kind(persistent=True)
    >>> full = Situation("full", Put(1, Handle(0, 7, 3), NEW), swap, Belief(OLD, sure=True))
    >>> outcome(full, False).meaning, outcome(full, False).afterwards
    ('the put failed', 'nothing')
    >>> outcome(full, Raised("OSError", 22)) is None                  # EINVAL, though nothing is wrong
    True
    """
    operation, kind = situation.operation, situation.kind
    match operation:
        case NewPool():
            return _of_new_pool(situation, answer)
        case Reclaim():
            return _of_reclaim(operation, answer)
    if not fits(operation, PAGE_SIZE):
        permitted = refused(answer, live=kind is not None)
        unchanged = "no slot" if kind is None else _shown(situation.holds)
        return _said(answer, "refused", unchanged, "TMEM-ARG-1 TMEM-MAY-13") if permitted else None
    if not declared(operation, answer):
        return None
    if kind is None:
        permitted = nowhere(operation, answer)
        return _said(answer, "there is no pool", "no slot", "TMEM-POOL-3 TMEM-MAY-7") if permitted else None
    if isinstance(operation, PoolFlags):
        told = flags_told(kind, kind, True, answer, UUID, PAGE_SIZE)
        return _said(answer, "the kind of the pool", "unchanged", "TMEM-POOL-5") if told else None
    return _on_a_slot(situation, kind, answer)


def _on_a_slot(situation: Situation, kind: Kind, answer: Answer) -> Outcome | None:
    operation, happened = situation.operation, event(situation.operation, answer)
    learned = learn(kind, situation.holds, happened)
    barred = situation.barred and happened.does is Does.STORED
    if learned is None or barred or not destroyed(True, operation, answer):
        return None
    meaning, clauses = MEANINGS[happened.does]
    if isinstance(operation, Put) and situation.holds.page is not None:
        clauses += " TMEM-PUT-3"
    if happened.does is Does.HIT:
        clauses += " TMEM-GET-3" if kind.persistent else " TMEM-GET-2"
        clauses += " TMEM-MAY-3" if kind.shared and not kind.persistent else ""
    if happened.does is Does.MISS and situation.holds.page is not None:
        clauses += " TMEM-MAY-1"
    if isinstance(operation, FlushObject):
        clauses = clauses.replace("TMEM-FLUSH-1", "TMEM-FLUSH-2")
    if isinstance(answer, Raised) and answer.errno == EFROZEN and happened.does is Does.FLUSHED:
        meaning = "the client is frozen; flushed all the same"
    if happened.does is Does.ENDED:
        return _said(answer, meaning, "the last user's pages are gone", clauses + " TMEM-SHARE-2")
    return _said(answer, meaning, _shown(learned), clauses)


def _of_new_pool(situation: Situation, answer: Answer) -> Outcome | None:
    new = situation.operation
    assert isinstance(new, NewPool)
    if isinstance(answer, Raised) and flags_taken(new.flags, PAGE_SIZE, answer, made=False):
        return _said(answer, "refused", "no pool", "TMEM-POOL-4 TMEM-MAY-8")
    if not fits(new):
        return _said(answer, "refused", "no pool", "TMEM-ARG-1 TMEM-MAY-13") if refused(answer) else None
    granted = declared(new, answer) and flags_taken(new.flags, PAGE_SIZE, answer, made=True)
    if not granted or isinstance(answer, Raised) or situation.barred:
        return None
    return _said(answer, "the id of the pool", "a live pool", "TMEM-POOL-1 TMEM-POOL-4")


def _of_reclaim(reclaim: Reclaim, answer: Answer) -> Outcome | None:
    if not fits(reclaim):
        return _said(answer, "refused", "unchanged", "TMEM-ARG-1") if refused(answer) else None
    if not declared(reclaim, answer):
        return None
    if isinstance(answer, Raised):
        return _said(answer, "not done, or done in part", "any ephemeral page may be gone", "TMEM-ERR-1")
    return _said(
        answer, "how many pages went", "any ephemeral page may be gone", "TMEM-RECLAIM-1 TMEM-MAY-12"
    )


def _said(answer: Answer, meaning: str, afterwards: str, clauses: str) -> Outcome:
    return Outcome((answer,), meaning, afterwards, tuple(clauses.split()))


def _shown(belief: Belief[bytes]) -> str:
    names = {OLD: "the old page", NEW: "the new page"}
    if belief.page is None:
        return "nothing"
    return names[belief.page] + ("" if belief.sure else ", or nothing once it has vanished")


def situations() -> tuple[Situation, ...]:
    """Every situation, by operation: put, get, flush page, flush object, and those of pools."""
    found: list[Situation] = []
    for right, wrong in (
        (Put(1, _SLOT, NEW), Put(1, _SLOT, NEW + b"!")),
        (Get(1, _SLOT), Get(1, _BEYOND)),
        (FlushPage(1, _SLOT), FlushPage(1, _BEYOND)),
        (FlushObject(1, 0, _SLOT.oid), FlushObject(1, 0, _BEYOND.oid)),
    ):
        for kind in KINDS:
            found.append(Situation("live pool, empty slot", right, kind))
            found.append(Situation("live pool, slot with a page", right, kind, Belief(OLD, kind.persistent)))
            if isinstance(right, Put):
                found.append(
                    Situation(
                        "no room, or a frozen client", right, kind, Belief(OLD, kind.persistent), barred=True
                    )
                )
            found.append(
                Situation("object id that the backend reserves", _at_reserved(right), kind, barred=True)
            )
            found.append(Situation("bad argument, live pool", wrong, kind, Belief(OLD, kind.persistent)))
        found.append(Situation("dead pool", right))
        found.append(Situation("bad argument, dead pool", wrong))
    for bits, kind in zip((0, SHARED, PERSIST, PERSIST | SHARED), KINDS, strict=True):
        found.append(Situation("right flags", NewPool(1, VERSION | bits, UUID), kind))
        found.append(
            Situation(
                "no room, or a kind that is not offered", NewPool(1, VERSION | bits, UUID), kind, barred=True
            )
        )
    found.append(Situation("flags that no backend takes", NewPool(1, VERSION | PRECOMPRESSED)))
    found.append(Situation("bad client or UUID", NewPool(1 << 16, VERSION)))
    for asked in (DestroyPool(1, 0), PoolFlags(1, 0)):
        found += [Situation("live pool", asked, kind) for kind in KINDS]
        found.append(Situation("dead pool", asked))
    found.append(Situation("any time", Reclaim(1)))
    found.append(Situation("bad argument", Reclaim(-1)))
    return tuple(found)


def _at_reserved(operation: Operation) -> Operation:
    match operation:
        case Put(client, _, page):
            return Put(client, _RESERVED, page)
        case Get(client):
            return Get(client, _RESERVED)
        case FlushPage(client):
            return FlushPage(client, _RESERVED)
        case FlushObject(client, pool):
            return FlushObject(client, pool, _RESERVED.oid)
        case _:
            return operation


def row(situation: Situation) -> Row:
    """The situation with its outcomes: answers that mean the same are one outcome."""
    found: dict[tuple[str, str, tuple[str, ...]], tuple[Answer, ...]] = {}
    for answer in candidates():
        said = outcome(situation, answer)
        if said is not None:
            key = (said.meaning, said.afterwards, said.clauses)
            found[key] = (*found.get(key, ()), answer)
    return Row(situation, tuple(Outcome(answers, *key) for key, answers in found.items()))


TABLE: Final = tuple(map(row, situations()))
"""Every situation with every outcome."""
