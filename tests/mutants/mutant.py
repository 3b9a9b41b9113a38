"""A mutant: a package of ours in which one place was changed, and how to run with it."""

from __future__ import annotations

import ast
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOTS: Final = ("spec", "model", "impl", "conformance")
PACKAGES: Final = ("impl", "model")
"""The packages that mutants are made of."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module. `old` and `new` are the lines that differ, or what became of a lock.

    It is named by what it changes, not by where that stands, so that its name outlives edits elsewhere.
    """

    package: str
    path: str
    """The module's file within the package."""
    function: str
    """The qualified name of the function; empty for what is executed at import."""
    kind: str
    line: int
    """Where the changed statement stands in the original, from 1."""
    old: str
    new: str
    text: str = field(repr=False)
    """The whole module, changed."""
    number: int = 0
    """Counts mutants that are otherwise of one name."""

    @property
    def name(self) -> str:
        """What it is called everywhere."""
        more = f" #{self.number}" if self.number else ""
        place = f"{self.package}/{self.path}" + (f" {self.function}" if self.function else "")
        return f"{place}: {self.kind}: {self.old} → {self.new}{more}"

    @property
    def digest(self) -> str:
        """Of the module as it is changed: a result holds for this text alone."""
        return sha256(self.text.encode()).hexdigest()[:12]


def source(package: str) -> Path:
    """The folder of a package."""
    return ROOT / package / "tmem" / package


def modules(package: str) -> Iterator[tuple[str, str]]:
    """The path and the text of every module of a package, in order."""
    folder = source(package)
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(folder)), path.read_text("utf-8")


def numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The mutants, those of one name numbered from 1 where there is more than one."""
    seen: Counter[str] = Counter()
    for mutant in mutants:
        seen[mutant.name] += 1
        count = seen[mutant.name]
        yield replace(mutant, number=count) if count > 1 else mutant


def function_at(tree: ast.Module, line: int) -> str:
    """The qualified name of the innermost function around a line; empty where there is none."""

    def search(node: ast.AST, name: str, inside: bool) -> str:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.FunctionDef | ast.ClassDef):
                continue
            first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
            if first <= line <= (child.end_lineno or first):
                path = f"{name}.{child.name}" if name else child.name
                return search(child, path, isinstance(child, ast.FunctionDef))
        return name if inside else ""

    return search(tree, "", inside=False)


def overlay(mutant: Mutant, folder: Path) -> dict[str, str]:
    """Lay a copy of the package with the mutant in it into a folder; the environment that finds it there.

    `tmem` is a namespace of several folders, and the first that has a package wins.
    """
    copy = folder / "tmem" / mutant.package
    shutil.copytree(source(mutant.package), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / mutant.path).write_text(mutant.text, "utf-8")
    return environment(folder)


def environment(*first: Path) -> dict[str, str]:
    """The environment of a process that finds modules in these folders, and then in this tree."""
    places = [*first, ROOT, *(ROOT / root for root in ROOTS)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places)), "PYTHONHASHSEED": "0"}
