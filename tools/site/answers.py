"""Tables of every operation in every situation: which answers are permitted, and what the slot may hold then.

The judge is asked: it is shown the situation, then each answer. Nothing is typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from tmem.model import Judge
from tmem.spec.abi import errors
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.belief import Belief
from tmem.spec.handle import Handle
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

SIZE: Final = 16
OLD, NEW, OTHER = (letter * SIZE for letter in (b"A", b"B", b"Z"))
SLOT: Final = Handle(0, 7, 3)
VERSION: Final = 1 << 24
Step: TypeAlias = tuple[Operation, Answer]

ERRNOS: Final = tuple(Raised("OSError", errno) for errno in errors.NAMES)
ANSWERS: Final[tuple[Answer, ...]] = (
    *(True, False, None, OLD, NEW, OTHER, 0, 1, -1, VERSION, VERSION | PERSIST, VERSION | SHARED),
    *ERRNOS,
    Raised("ValueError"),
    Raised("KeyError"),
)
"""Every kind of answer: of each declared type, right and wrong, each errno, and exceptions of Python."""


class Situation(NamedTuple):
    """Where an operation is called, and what led there."""

    name: str
    steps: tuple[Step, ...]


class Row(NamedTuple):
    """Answers of one operation in one situation that leave the slot in the same state."""

    situation: str
    answers: tuple[str, ...]
    then: str


def _pools(flags: int) -> tuple[Step, ...]:
    return ((NewPool(1, VERSION | flags, 5 if flags & SHARED else None), 0),)


def _situations() -> Iterator[Situation]:
    kinds = {"ephemeral": 0, "persistent": PERSIST}
    for name, flags in kinds.items():
        yield Situation(f"private {name} pool, nothing was put", _pools(flags))
        yield Situation(f"private {name} pool, A was put", (*_pools(flags), (Put(1, SLOT, OLD), True)))
    for name, flags in kinds.items():
        steps = (*_pools(flags | SHARED), (Put(1, SLOT, OLD), True))
        yield Situation(f"shared {name} pool, A was put", steps)
    yield Situation("the id stands for no pool", ())


SITUATIONS: Final = tuple(_situations())
OPERATIONS: Final[dict[str, Operation]] = {
    "put of B": Put(1, SLOT, NEW),
    "get": Get(1, SLOT),
    "flush page": FlushPage(1, SLOT),
    "flush object": FlushObject(1, 0, 7),
    "destroy pool": DestroyPool(1, 0),
    "put of a page of another length": Put(1, SLOT, NEW[1:]),
    "get of an index out of range": Get(1, Handle(0, 7, 1 << 32)),
}
WITHOUT_A_SLOT: Final[dict[str, tuple[Situation, Operation]]] = {
    "new pool, flags that may be taken": (Situation("", ()), NewPool(1, VERSION)),
    "new pool, flags with a reserved bit": (Situation("", ()), NewPool(1, VERSION | 0x100)),
    "reclaim of 1 page": (Situation("", _pools(0)), Reclaim(1)),
    "pool flags of a private persistent pool": (Situation("", _pools(PERSIST)), PoolFlags(1, 0)),
    "pool flags where a shared pool was asked for": (Situation("", _pools(SHARED)), PoolFlags(1, 0)),
}


def rows(operation: Operation, situations: Sequence[Situation] = SITUATIONS) -> Iterator[Row]:
    """The permitted answers of an operation in each situation, those with one outcome together."""
    for situation in situations:
        outcomes: dict[str, list[str]] = {}
        for answer in ANSWERS:
            judge = Judge(SIZE)
            for step in situation.steps:
                assert judge.observe(*step) is None
            if judge.observe(operation, answer) is None:
                outcomes.setdefault(_then(judge), []).append(_said(operation, answer))
        for then, answers in outcomes.items():
            yield Row(situation.name, tuple(dict.fromkeys(answers)), then)


def markdown() -> str:
    """All tables as MyST."""
    parts = []
    for name, operation in OPERATIONS.items():
        parts.append(f"## {name}\n\n| situation | may answer | the slot then holds |\n|---|---|---|\n")
        parts += [f"| {row.situation} | {', '.join(row.answers)} | {row.then} |\n" for row in rows(operation)]
        parts.append("\n")
    parts.append("## Operations without a slot\n\n| operation | may answer |\n|---|---|\n")
    for name, (situation, operation) in WITHOUT_A_SLOT.items():
        (row, *more) = rows(operation, [situation])
        answers = [*row.answers, *(answer for other in more for answer in other.answers)]
        parts.append(f"| {name} | {', '.join(dict.fromkeys(answers))} |\n")
    return "".join(parts)


def _then(judge: Judge) -> str:
    if judge.record.member(1, 0) is None:
        return "no pool"
    return {
        Belief(None, True): "nothing",
        Belief(OLD, True): "A",
        Belief(NEW, True): "B",
        Belief(OLD, False): "A or nothing",
        Belief(NEW, False): "B or nothing",
    }.get(found := judge.record.may_hold(1, SLOT), str(found))


def _said(operation: Operation, answer: Answer) -> str:
    match answer:
        case Raised("ValueError"):
            return "ValueError, OverflowError or TypeError"
        case Raised():
            return str(answer)
        case bytes():
            return f"the page {chr(answer[0])}"
        case int() if isinstance(operation, NewPool) and type(answer) is int:
            return "an id that is free"
        case int() if isinstance(operation, PoolFlags) and type(answer) is int:
            return f"flags {answer:#x}"
        case _:
            return f"{answer}"
