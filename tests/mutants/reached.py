"""Which lines the checks execute at all: a mutant of another line need not be run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from coverage import Coverage

from tests.mutants.judging import CHECKS
from tests.mutants.mutant import ROOT, environment, modules, source
from tests.mutants.worker import FOR_LOCKS, FOR_STATEMENTS
from tmem.conformance.targets.handshake import shake_hands
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.trial import Trial

TARGETS: Final = {"impl": ("impl",), "model": ("model:random", "model:keep")}
"""What `tmem check` is given for the mutants of a package."""


def reached(package: str) -> dict[str, list[int]]:
    """By module, the lines that are executed; found out in a process of its own."""
    command = [sys.executable, "-P", "-m", "tests.mutants.reached", package]
    run = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    lines: dict[str, list[int]] = json.loads(run.stdout.splitlines()[-1])
    return lines


def _execute(package: str) -> None:
    for text in TARGETS[package]:
        target = resolve(text)
        missing = frozenset(each.what for each in shake_hands(target, lambda operation: None).missing)
        trial = Trial(text, target.fresh, 0, source=target.source, missing=missing)
        for engine in (*FOR_LOCKS, *FOR_STATEMENTS):
            engine.run(trial)
    if package == "model":
        for check in CHECKS.values():
            check()


def main() -> None:
    """Print the lines of the package that is named on the command line, as JSON."""
    package = sys.argv[1]
    folder = source(package)
    watch = Coverage(
        data_file=None, include=[f"{folder}/*"], concurrency=["thread", "greenlet"], config_file=False
    )
    with watch.collect():
        _execute(package)
    data = watch.get_data()
    print(
        json.dumps({path: sorted(data.lines(str(Path(folder, path))) or ()) for path, _ in modules(package)})
    )


if __name__ == "__main__":
    main()
