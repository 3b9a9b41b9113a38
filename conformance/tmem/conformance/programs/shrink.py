"""Makes a failing program small: first it drops steps, then it simplifies those that are left.

The clauses in LOSS count as one while shrinking. Whether a persistent page was lost under pressure or because
a sharer left shows only in the steps that cannot be dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from tmem.conformance.programs.handles import Universe, plain
from tmem.conformance.programs.program import Code, Program

LOSS = frozenset({"TMEM-GET-3", "TMEM-RECLAIM-1", "TMEM-SHARE-1", "TMEM-SHARE-2"})
_FIELDS = ("client_row", "name", "oid_row", "index_row")
RUNS = 600
"""The most candidates that are tried."""


def alike(found: str | None, wanted: str) -> bool:
    """Whether two clauses count as one while shrinking."""
    return found == wanted or (found in LOSS and wanted in LOSS)


def shrink(program: Program, clause: str, fails: Callable[[Program], str | None]) -> Program:
    """Return the smallest program found that breaks the clause.

    `fails` runs a program and returns the clause that it breaks, or None.
    """
    tries = RUNS

    def still(candidate: Program) -> bool:
        nonlocal tries
        tries -= 1
        return tries >= 0 and alike(fails(candidate), clause)

    before = None
    while program != before and tries > 0:
        before = program
        size = max(len(program.steps) // 2, 1)
        while size:
            for start in range(len(program.steps) - size, -1, -size):
                steps = program.steps[:start] + program.steps[start + size :]
                if still(candidate := replace(program, steps=steps)):
                    program = candidate
            size //= 2
        for change in _simplifications(program):
            candidate = change(program)
            if candidate != program and still(candidate):
                program = candidate
    return program


def _simplifications(program: Program) -> Iterator[Callable[[Program], Program]]:
    yield _plain_buffer
    for kind in Universe._fields:
        yield partial(_plain_numbers, kind=kind, rows=range(len(getattr(program.universe, kind))))
    for field in _FIELDS:
        yield partial(_set_fields, field=field, numbers=range(len(program.steps)))
    for number in range(len(program.steps)):
        for field in (*_FIELDS, "argument"):
            yield partial(_set_fields, field=field, numbers=(number,))
    for kind in Universe._fields:
        for row in range(len(getattr(program.universe, kind))):
            yield partial(_plain_numbers, kind=kind, rows=(row,))


def _plain_buffer(program: Program) -> Program:
    return replace(program, buffer=0)


def _plain_numbers(program: Program, kind: str, rows: Sequence[int]) -> Program:
    # Numbers of a kind must differ: returns the program unchanged if a plain number occurs elsewhere.
    universe = program.universe
    numbers: list[int] = list(getattr(universe, kind))
    plainest = getattr(plain(len(universe.oids), len(universe.indexes), len(universe.clients)), kind)
    for row in rows:
        numbers[row] = plainest[row]
    if len(set(numbers)) < len(numbers):
        return program
    return replace(program, universe=universe._replace(**{kind: tuple(numbers)}))


def _set_fields(program: Program, field: str, numbers: Sequence[int]) -> Program:
    # A put keeps its page: two puts of one page could not be distinguished.
    steps = list(program.steps)
    for number in numbers:
        if field != "argument" or steps[number].code != Code.PUT:
            steps[number] = steps[number]._replace(**{field: 0})
    return replace(program, steps=tuple(steps))
