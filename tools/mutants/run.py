"""Runs every mutant, and goes on where it was interrupted."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, partial
from hashlib import sha256
from math import inf
from pathlib import Path
from random import Random
from typing import Final

from tmem.conformance.calibration.work import Row, work
from tools.mutants import locks, statements
from tools.mutants.checked import Result, checked
from tools.mutants.judging import judged
from tools.mutants.mutant import PACKAGES, Mutant, modules, source
from tools.mutants.reached import JUDGE, TARGETS, Lines, reached
from tools.mutants.worker import FOR_LOCKS, FOR_STATEMENTS

ADVERSARY: Final = frozenset({"adversary.py", "choices.py"})
"""The modules of `model` that are a backend; the others are the judge."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutant: `status` is one of `tables.STATUSES`."""

    name: str
    module: str
    function: str
    kind: str
    status: str
    by: str = ""
    clause: str = ""
    seconds: float = 0.0
    tests: str = ""
    """The tests of `impl` that a mutant by its tests fails."""


def every(only: str = "") -> list[Mutant]:
    """Every mutant whose name begins with `only`: those of locks, then statements in an order drawn once.

    Whatever part of the statements was run is a fair sample of them.
    """
    made = [each for package in PACKAGES for each in locks.mutants(package)]
    drawn = [each for package in PACKAGES for each in statements.mutants(package)]
    Random(0).shuffle(drawn)
    return [mutant for mutant in made + drawn if mutant.name.startswith(only)]


def run(
    mutants: list[Mutant],
    folder: Path,
    told: Callable[[int, int], None],
    workers: int | None = None,
    seconds: float = inf,
) -> list[Outcome]:
    """What becomes of them, in their order, for so many seconds; the work done is kept in `folder`."""
    until = time.monotonic() + seconds
    kept = folder / "mutants.jsonl"
    lines = _reached({mutant.package for mutant in mutants}, kept, workers)
    left: dict[str, Callable[[], Row]] = {}
    for each in mutants:
        if by := reaching(each, lines[each.package]):
            left[_key(each)] = partial(_run, each, by)
    results = _results(left, kept, told, workers, until)
    return [_outcome(each, _key(each) in left, results.get(_key(each))) for each in mutants]


def _results(
    tasks: dict[str, Callable[[], Row]],
    kept: Path,
    told: Callable[[int, int], None],
    workers: int | None,
    until: float,
) -> dict[str, Row]:
    """What the tasks come to, as far as there is time."""
    results: dict[str, Row] = {}
    told(0, len(tasks))
    for key, row in work(tasks, kept, workers):
        results[key] = row
        told(len(results), len(tasks))
        if time.monotonic() > until:
            break
    return results


def _run(mutant: Mutant, by: list[str]) -> Row:
    found = result(mutant, by)
    survived = mutant.package == "impl" and not found.by
    return asdict(found) | {"tests": judged(mutant, "store_tests").by if survived else ""}


def result(mutant: Mutant, by: list[str]) -> Result:
    """Try to kill one mutant, whose line these targets reach."""
    if mutant.package == "model" and mutant.path not in ADVERSARY:
        return judged(mutant, "judge_tests", "faults", "conforming")
    engines = FOR_STATEMENTS if mutant.kind == statements.KIND else FOR_LOCKS
    targets = [target for target in by if target != JUDGE]
    if mutant.package == "impl":
        return checked(mutant, targets[0], engines)
    for target in targets:
        found = checked(mutant, target, engines)
        if found.by:
            return found
    return judged(mutant, "adversary_tests")


def _outcome(mutant: Mutant, reached: bool, row: Row | None) -> Outcome:
    place = (mutant.name, f"{mutant.package}/{mutant.path}", mutant.function, mutant.kind)
    if row is None:
        return Outcome(*place, "not run" if reached else "not reached")
    alive = "by its tests" if row["tests"] else "survived"
    status = "timed out" if row["hung"] else "killed" if row["by"] else alive
    return Outcome(*place, status, row["by"], row["clause"], row["seconds"], row["tests"])


def _key(mutant: Mutant) -> str:
    return f"{mutant.name} [{mutant.digest}]"


def _reached(packages: set[str], kept: Path, workers: int | None) -> dict[str, dict[str, Lines]]:
    """By package and target, the lines that are executed."""
    tasks: dict[str, Callable[[], Row]] = {}
    for package in sorted(packages):
        text = "".join(f"{path}\n{module}" for path, module in modules(package))
        digest = sha256(text.encode()).hexdigest()[:12]
        for target in TARGETS[package] + ((JUDGE,) if package == "model" else ()):
            tasks[f"reached {package} {target} [{digest}]"] = partial(reached, package, target)
    done = dict(work(tasks, kept, workers))
    found: dict[str, dict[str, Lines]] = {package: {} for package in packages}
    for key in tasks:
        _, package, target, _ = key.split()
        found[package][target] = done[key]
    return found


def reaching(mutant: Mutant, lines: dict[str, Lines]) -> list[str]:
    """The targets that ever execute the changed statement; what is done at import all do."""
    first, last = _header(_tree(mutant.package, mutant.path), mutant.line)
    return [
        target
        for target, of in lines.items()
        if not mutant.function or any(first <= line <= last for line in of[mutant.path])
    ]


@cache
def _tree(package: str, path: str) -> ast.Module:
    return ast.parse((source(package) / path).read_text("utf-8"))


def _header(tree: ast.Module, line: int) -> tuple[int, int]:
    """The first and last line of the innermost statement around a line, without the blocks in it."""
    found = (line, line)
    for node in ast.walk(tree):  # outer ones first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            blocks = [each.lineno for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
            last = min(
                [node.end_lineno or node.lineno, *(start - 1 for start in blocks if start > node.lineno)]
            )
            found = (node.lineno, max(line, last))
    return found
