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
    """Do it; 1 where a survivor is not explained, or an explanation is of none."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name begins so; nothing is written then")
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".tmem-mutants", help="where what is done is kept"
    )
    parser.add_argument("--workers", type=int, help="how many at once (default: as many as there are cores)")
    parser.add_argument("--minutes", type=float, default=inf, help="time for this part of it (default: all)")
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
        sys.exit("Interrupted; what is done is kept, and the same command goes on there.")
