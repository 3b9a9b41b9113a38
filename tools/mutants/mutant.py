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
SCRIPTS: Final = "build.py"
"""The name of modules that compile others: no store runs them, and none would be there if they failed."""


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
    digest: str
    """Of the function as it was: with another, the mutant is run again."""
    number: int = 0
    """Counts mutants that are otherwise of one name."""

    @property
    def name(self) -> str:
        """What it is called everywhere."""
        more = f" #{self.number}" if self.number else ""
        place = f"{self.package}/{self.path}" + (f" {self.function}" if self.function else "")
        return f"{place}: {self.kind}: {self.old} → {self.new}{more}"


def source(package: str) -> Path:
    """The folder of a package."""
    return ROOT / package / "tmem" / package


def modules(package: str) -> Iterator[tuple[str, str]]:
    """The path and the text of every module of a package, in order, but for scripts."""
    folder = source(package)
    for path in sorted(folder.rglob("*.py")):
        if path.name != SCRIPTS:
            yield str(path.relative_to(folder)), path.read_text("utf-8")


def numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The mutants, those of one name numbered from 1 where there is more than one."""
    seen: Counter[str] = Counter()
    for mutant in mutants:
        seen[mutant.name] += 1
        count = seen[mutant.name]
        yield replace(mutant, number=count) if count > 1 else mutant


def place(tree: ast.Module, line: int) -> tuple[str, str]:
    """The innermost function around a line: its qualified name and digest, empty where there is none."""
    node: ast.AST | None = tree
    function, digest = "", ""
    path: list[str] = []
    while node is not None:
        node = next((each for each in ast.iter_child_nodes(node) if _is_around(each, line)), None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            path.append(node.name)
        if isinstance(node, ast.FunctionDef):
            function, digest = ".".join(path), sha256(ast.dump(node).encode()).hexdigest()[:12]
    return function, digest


def _is_around(node: ast.AST, line: int) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return False
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return first <= line <= (node.end_lineno or first)


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
