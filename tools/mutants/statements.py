"""Mutants by mutmut: its operators, applied one at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string
from mutmut.mutation.pragma_handling import IgnoredCode

from tools.mutants.mutant import Mutant, modules, numbered, place

KIND: Final = "statement"
CAST: Final = 'cast("XX'
"""A changed type in a cast, which has no effect at run time."""


def dropped(node: cst.Expr) -> Iterable[cst.CSTNode]:
    """Leave out a call whose value is not used."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def misspelt(node: cst.SimpleString) -> Iterable[cst.CSTNode]:
    """Change a string that has no space: the wording of messages is not promised."""
    if " " not in node.raw_value:
        yield node.with_changes(value=f"{node.prefix}{node.quote}XX{node.raw_value}{node.quote}")


# Without mutmut's removal of arguments: nearly all such calls fail at once.
OPERATORS: Final[list[tuple[type, Callable[[Any], Iterable[cst.CSTNode]]]]] = [
    *(
        (kind, operator)
        for kind, operator in mutation_operators
        if operator not in (operator_arg_removal, operator_string)
    ),
    (cst.SimpleString, misspelt),
    (cst.Expr, dropped),
]


def mutants(package: str) -> Iterator[Mutant]:
    """Yield every statement mutant of a package, in order."""
    yield from numbered(each for path, text in modules(package) for each in of_module(package, path, text))


def of_module(package: str, path: str, text: str) -> Iterator[Mutant]:
    """Yield every statement mutant of one module."""
    tree = ast.parse(text)
    visitor = MutationVisitor(OPERATORS, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(cst.parse_module(text)).visit(visitor)
    for mutation in visitor.mutations:
        if (
            isinstance(mutation.original_node, cst.SimpleString)
            and not mutation.contained_by_top_level_function
        ):
            continue  # a name in `__slots__` or `__all__`, a docstring
        changed = _applied(module, mutation)
        line, old, new = _difference(text, changed)
        if not old.startswith("__") and CAST not in new:  # `__slots__` and `__all__`
            function, digest = place(tree, line)
            yield Mutant(package, path, function, KIND, line, old, new, changed, digest)


def _applied(module: cst.Module, mutation: Mutation) -> str:
    changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
    assert isinstance(changed, cst.Module)
    return changed.code


def _difference(old: str, new: str) -> tuple[int, str, str]:
    """Return the first line that differs, counted from 1, and its old and new text."""
    before, after = old.splitlines(), new.splitlines()
    first = 0
    while first < min(len(before), len(after)) and before[first] == after[first]:
        first += 1
    last = 0
    while last < min(len(before), len(after)) - first and before[-1 - last] == after[-1 - last]:
        last += 1
    return first + 1, _joined(before[first : len(before) - last]), _joined(after[first : len(after) - last])


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
