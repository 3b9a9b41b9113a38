"""Finds the lines that the checks execute; mutants of other lines need not be run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from coverage import Coverage

from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.turn import Turn
from tools.mutants.judging import CHECKS
from tools.mutants.mutant import ROOT, environment, modules, source
from tools.mutants.worker import FOR_LOCKS, FOR_STATEMENTS

TARGETS: Final = {
    "impl": ("impl", "impl-by-many"),
    "model": ("model:keep", "model:random"),
}
"""The targets of `tmem check` for the mutants of a package. A mutant of `impl` runs on the first target that
reaches its line. One of `model` runs on each: one target shows races best, the other makes choices."""
JUDGE: Final = "judge"
"""Stands in place of a target for the checks of the judge."""

Lines = dict[str, list[int]]
"""The executed lines by module."""


def reached(package: str, target: str) -> Lines:
    """Return the lines of a package that a target executes, measured in a separate process."""
    command = [sys.executable, "-P", "-m", "tools.mutants.reached", package, target]
    run = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    lines: Lines = json.loads(run.stdout.splitlines()[-1])
    return lines


def _check(text: str) -> None:
    target = resolve(text)
    missing = frozenset(each.what for each in shake_hands(target, lambda operation: None).missing)
    turn = Turn(text, target.fresh, 0, source=target.source, missing=missing)
    for engine in (*FOR_LOCKS, *FOR_STATEMENTS):
        engine.run(turn)


def _judge() -> None:
    for name, check in CHECKS.items():
        if name != "store_tests":
            check()


def main() -> None:
    """Print as JSON the lines of the package that the target executes; both are named on the command line."""
    package, target = sys.argv[1:]
    folder = source(package)
    watch = Coverage(
        data_file=None, include=[f"{folder}/*"], concurrency=["thread", "greenlet"], config_file=False
    )
    with watch.collect():
        if target == JUDGE:
            _judge()
        else:
            _check(target)
    data = watch.get_data()
    print(json.dumps({path: data.lines(str(folder / path)) or [] for path, _ in modules(package)}))


if __name__ == "__main__":
    main()
