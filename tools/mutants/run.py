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
    """The result for one mutant; `status` is one of `tables.STATUSES`."""

    name: str
    module: str
    function: str
    kind: str
    status: str
    by: str = ""
    clause: str = ""
    seconds: float = 0.0
    tests: str = ""
    """The file of the tests of `impl` that killed it, if its status is 'by its tests'."""


def every(only: str = "") -> list[Mutant]:
    """Return every mutant whose name begins with `only`: locks, then statements in a fixed random order.

    So the statements that were run are always a fair sample of all.
    """
    made = [each for package in PACKAGES for each in locks.mutants(package)]
    drawn = [each for package in PACKAGES for each in statements.mutants(package)]
    Random(0).shuffle(drawn)
    return [mutant for mutant in made + drawn if mutant.name.startswith(only)]


def run(
    mutants: list[Mutant],
    folder: Path,
    progress: Callable[[int, int], None],
    workers: int | None = None,
    seconds: float = inf,
) -> list[Outcome]:
    """Run the mutants for this number of seconds. Returns their outcomes in order; `folder` keeps them."""
    until = time.monotonic() + seconds
    kept = folder / "mutants.jsonl"
    lines = _reached({mutant.package for mutant in mutants}, kept, workers)
    left: dict[str, Callable[[], Row]] = {}
    for each in mutants:
        if by := reaching(each, lines[each.package]):
            left[_key(each)] = partial(_run, each, by)
    results = _results(left, kept, progress, workers, until)
    return [_outcome(each, _key(each) in left, results.get(_key(each))) for each in mutants]


def _results(
    tasks: dict[str, Callable[[], Row]],
    kept: Path,
    progress: Callable[[int, int], None],
    workers: int | None,
    until: float,
) -> dict[str, Row]:
    """Return the results of the tasks that there was time for."""
    results: dict[str, Row] = {}
    progress(0, len(tasks))
    for key, row in work(tasks, kept, workers):
        results[key] = row
        progress(len(results), len(tasks))
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
    """Return the executed lines by package and target."""
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
    """Return the targets that execute the changed statement; all execute what runs at import."""
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
    """Return the first and last line of the innermost statement at a line, without its blocks."""
    found = (line, line)
    for node in ast.walk(tree):  # outer ones first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            blocks = [each.lineno for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)]
            last = min(
                [node.end_lineno or node.lineno, *(start - 1 for start in blocks if start > node.lineno)]
            )
            found = (node.lineno, max(line, last))
    return found
