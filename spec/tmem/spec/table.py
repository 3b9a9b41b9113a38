"""The table of `situations` in words: kinds of pools in which the same is permitted share a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from tmem.spec.operations import SIGNATURES, Answer, NewPool, Operation, PoolFlags, Raised
from tmem.spec.situations import KINDS, NEW, OLD, OTHER, TABLE
from tmem.spec.slot import Kind

PAGES: Final = {OLD: "the old page", NEW: "the new page", OTHER: "another page"}
NAMES: Final = {each.operation: method.replace("_", " ") for method, each in SIGNATURES.items()}
"""The operations by class, in words."""


class Line(NamedTuple):
    """One outcome of an operation in a situation; `kinds` says in which pools, and is empty without one."""

    operation: str
    situation: str
    kinds: str
    answers: str
    meaning: str
    afterwards: str
    clauses: tuple[str, ...]


def lines() -> list[Line]:
    """Every outcome of every situation.

    >>> [line.answers for line in lines() if (line.operation, line.situation) == ("put", "dead pool")]
    ['False, ENODEV']
    """
    found: dict[tuple[str, str, str, str, str, tuple[str, ...]], list[Kind | None]] = {}
    for situation, outcomes in ((row.situation, row.outcomes) for row in TABLE):
        for each in outcomes:
            operation = NAMES[type(situation.operation)]
            answers = said(situation.operation, each.answers)
            key = operation, situation.name, answers, each.meaning, each.afterwards, each.clauses
            found.setdefault(key, []).append(situation.kind)
    order = list(dict.fromkeys((NAMES[type(row.situation.operation)], row.situation.name) for row in TABLE))
    made = [
        Line(key[0], key[1], _kinds(kinds), key[2], key[3], key[4], key[5]) for key, kinds in found.items()
    ]
    return sorted(made, key=lambda line: order.index((line.operation, line.situation)))


def said(operation: Operation, answers: Iterable[Answer]) -> str:
    """Answers in words: numbers stand for what they are of.

    >>> from tmem.spec.operations import FlushObject
    >>> said(NewPool(1), (0, 1, 2)), said(FlushObject(1, 0, 7), (True, Raised("OSError", 1000)))
    ('an id of 31 bits', 'True, EFROZEN')
    """
    return ", ".join(dict.fromkeys(_word(operation, answer) for answer in answers))


def _word(operation: Operation, answer: Answer) -> str:
    if isinstance(answer, bytes):
        return PAGES[answer]
    if isinstance(answer, Raised):
        return str(answer).removesuffix("()")
    if isinstance(answer, bool) or answer is None:
        return str(answer)
    if isinstance(operation, NewPool):
        return "an id of 31 bits"
    return "its flags" if isinstance(operation, PoolFlags) else "0 to the number asked for"


def _kinds(kinds: list[Kind | None]) -> str:
    if None in kinds:
        return ""
    if set(kinds) == set(KINDS):
        return "any"
    for word, test in (("persistent", True), ("ephemeral", False)):
        if set(kinds) == {kind for kind in KINDS if kind.persistent is test}:
            return word
    return ", ".join(map(str, kinds))
