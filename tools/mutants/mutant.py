"""A mutant: a package of tmem with one change, and how to run it."""

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
"""The packages that are mutated."""
SCRIPTS: Final = "build.py"
"""The name of scripts that compile modules; they are not mutated, since no store runs them."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module. `old` and `new` are the lines that differ, or describe the change of a lock.

    Its name says what it changes and has no line number, so that the name survives edits elsewhere.
    """

    package: str
    path: str
    """The module's file within the package."""
    function: str
    """The qualified name of the function; empty for code that runs at import."""
    kind: str
    line: int
    """The line of the changed statement in the original, counted from 1."""
    old: str
    new: str
    text: str = field(repr=False)
    """The whole module, changed."""
    digest: str
    """A digest of the original function; if it changes, the mutant is run again."""
    number: int = 0
    """Distinguishes mutants that would otherwise have the same name."""

    @property
    def name(self) -> str:
        """The name of the mutant in results and explanations."""
        more = f" #{self.number}" if self.number else ""
        place = f"{self.package}/{self.path}" + (f" {self.function}" if self.function else "")
        return f"{place}: {self.kind}: {self.old} → {self.new}{more}"


def source(package: str) -> Path:
    """Return the folder of a package."""
    return ROOT / package / "tmem" / package


def modules(package: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every module of a package except scripts, in order."""
    folder = source(package)
    for path in sorted(folder.rglob("*.py")):
        if path.name != SCRIPTS:
            yield str(path.relative_to(folder)), path.read_text("utf-8")


def numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """Yield the mutants; the second and later ones of a name get a number."""
    seen: Counter[str] = Counter()
    for mutant in mutants:
        seen[mutant.name] += 1
        count = seen[mutant.name]
        yield replace(mutant, number=count) if count > 1 else mutant


def place(tree: ast.Module, line: int) -> tuple[str, str]:
    """Return the qualified name and the digest of the innermost function at a line, or empty texts."""
    node: ast.AST | None = tree
    function, digest = "", ""
    path: list[str] = []
    while node is not None:
        node = next((each for each in ast.iter_child_nodes(node) if _contains(each, line)), None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            path.append(node.name)
        if isinstance(node, ast.FunctionDef):
            function, digest = ".".join(path), sha256(ast.dump(node).encode()).hexdigest()[:12]
    return function, digest


def _contains(node: ast.AST, line: int) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return False
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return first <= line <= (node.end_lineno or first)


def overlay(mutant: Mutant, folder: Path) -> dict[str, str]:
    """Copy the package with the mutant into a folder. Returns the environment that finds it there.

    `tmem` is a namespace of several folders, and the first that has a package wins.
    """
    copy = folder / "tmem" / mutant.package
    shutil.copytree(source(mutant.package), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / mutant.path).write_text(mutant.text, "utf-8")
    return environment(folder)


def environment(*first: Path) -> dict[str, str]:
    """Return the environment of a process that finds modules in these folders, and then in this tree."""
    places = [*first, ROOT, *(ROOT / root for root in ROOTS)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places)), "PYTHONHASHSEED": "0"}
