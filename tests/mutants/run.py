"""Runs every mutant, and goes on where it was interrupted."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.mutants import locks, statements
from tests.mutants.checked import Result, checked
from tests.mutants.judging import judged
from tests.mutants.mutant import PACKAGES, Mutant, modules, source
from tests.mutants.reached import TARGETS, reached
from tests.mutants.worker import FOR_LOCKS, FOR_STATEMENTS
from tmem.conformance.calibration.work import Row, work

ADVERSARY: Final = frozenset({"adversary.py", "choices.py"})
"""The modules of `model` that are a backend; the others are the judge."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutant: `status` is killed, timed out, survived or not reached."""

    name: str
    module: str
    function: str
    kind: str
    status: str
    by: str = ""
    clause: str = ""
    seconds: float = 0.0


def every(only: str = "") -> list[Mutant]:
    """Every mutant whose name begins with `only`: those of locks before all others."""
    made = chain(*(each.mutants(package) for each in (locks, statements) for package in PACKAGES))
    return [mutant for mutant in made if mutant.name.startswith(only)]


def run(
    mutants: Iterable[Mutant], folder: Path, told: Callable[[int, int], None], workers: int | None = None
) -> list[Outcome]:
    """What becomes of them, in their order; the work done is kept in `folder`."""
    mutants = list(mutants)
    kept = folder / "mutants.jsonl"
    lines = _reached({mutant.package for mutant in mutants}, kept, workers)
    left: dict[str, Callable[[], Row]] = {
        _key(each): partial(_run, each) for each in mutants if is_reached(each, lines[each.package])
    }
    results: dict[str, Row] = {}
    told(0, len(left))
    for key, row in work(left, kept, workers):
        results[key] = row
        told(len(results), len(left))
    return [_outcome(each, results.get(_key(each))) for each in mutants]


def _run(mutant: Mutant) -> Row:
    return asdict(result(mutant))


def result(mutant: Mutant) -> Result:
    """Try to kill one mutant."""
    engines = FOR_STATEMENTS if mutant.kind == statements.KIND else FOR_LOCKS
    if mutant.package == "model" and mutant.path not in ADVERSARY:
        return judged(mutant, "judge_tests", "faults", "conforming")
    found = checked(mutant, TARGETS[mutant.package], engines)
    if found.by or mutant.package == "impl":
        return found
    return judged(mutant, "adversary_tests")


def _outcome(mutant: Mutant, row: dict[str, Any] | None) -> Outcome:
    place = (mutant.name, f"{mutant.package}/{mutant.path}", mutant.function, mutant.kind)
    if row is None:
        return Outcome(*place, "not reached")
    status = "timed out" if row["hung"] else "killed" if row["by"] else "survived"
    return Outcome(*place, status, row["by"], row["clause"], row["seconds"])


def _key(mutant: Mutant) -> str:
    return f"{mutant.name} [{mutant.digest}]"


def _reached(packages: set[str], kept: Path, workers: int | None) -> dict[str, dict[str, list[int]]]:
    tasks: dict[str, Callable[[], Row]] = {}
    for package in sorted(packages):
        text = "".join(f"{path}\n{module}" for path, module in modules(package))
        tasks[f"reached {package} [{sha256(text.encode()).hexdigest()[:12]}]"] = partial(reached, package)
    return {key.split()[1]: row for key, row in work(tasks, kept, workers)}


def is_reached(mutant: Mutant, lines: dict[str, list[int]]) -> bool:
    """Whether the statement that was changed is ever executed; what is done at import always is."""
    if not mutant.function:
        return True
    first, last = _header(_tree(mutant.package, mutant.path), mutant.line)
    return any(first <= line <= last for line in lines[mutant.path])


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
