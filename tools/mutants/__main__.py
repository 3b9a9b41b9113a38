"""`python -m tools.mutants`: runs the mutants, explains the survivors, writes the tables."""

from __future__ import annotations

import argparse
import sys
from math import inf
from pathlib import Path

from rich.progress import Progress

from tools.mutants import explained, tables
from tools.mutants.mutant import ROOT
from tools.mutants.run import every, run


def main() -> int:
    """Run the mutants. Returns 1 if a survivor has no explanation, or an explanation has no survivor."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument(
        "--only", default="", help="only mutants whose name begins with this; nothing is written then"
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".tmem-mutants", help="folder in which finished work is kept"
    )
    parser.add_argument("--workers", type=int, help="mutants that run at once (default: the number of cores)")
    parser.add_argument(
        "--minutes", type=float, default=inf, help="stop after this number of minutes (default: never)"
    )
    asked = parser.parse_args()
    mutants = every(asked.only)
    if not mutants:
        parser.error(f"no mutant has a name that begins with {asked.only!r}")
    with Progress(transient=True) as progress:
        bar = progress.add_task("mutants", total=None)
        outcomes = run(
            mutants,
            asked.work,
            lambda done, total: progress.update(bar, completed=done, total=total),
            asked.workers,
            asked.minutes * 60,
        )
    if asked.only:
        for each in outcomes:
            print(f"{each.status:11} {each.by:24} {each.clause:16} {each.name}")
        return 0
    reasons = explained.read()
    for path in tables.write(outcomes, reasons):
        print(f"wrote {path.relative_to(ROOT)}")
    wrong = list(explained.wrong(outcomes, reasons))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Interrupted. Finished work is kept; the same command goes on from there.")
