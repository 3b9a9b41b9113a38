"""`python -m bench`: measure, then write tables and plots."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bench.experiments import EXPERIMENTS
from bench.plan import QUICK, Plan
from bench.report import write
from bench.results import Results
from bench.variants import VARIANTS

DOCS = Path("docs")
SCRATCH = Path("build/bench")
"""The folder for a quick run, whose figures are not for publication."""


@click.command()
@click.option("--quick", is_flag=True, help=f"Run for about a minute and write to {SCRATCH}, as a test.")
@click.option(
    "--only",
    type=click.Choice(list(EXPERIMENTS)),
    multiple=True,
    help="Measure only this experiment; keep the others' results.",
)
@click.option(
    "--variant",
    type=click.Choice(list(VARIANTS)),
    multiple=True,
    help="Measure only this variant of the store.",
)
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), help=f"Folder to write to; default: {DOCS}."
)
@click.option("--redraw", is_flag=True, help="Measure nothing; write tables and plots of earlier results.")
def main(
    quick: bool, only: tuple[str, ...], variant: tuple[str, ...], into: Path | None, redraw: bool
) -> None:
    """Measure the store beside lz4 and the stores in use; write performance.md, its plots and results.

    Ctrl-C ends the run and writes what was measured so far.
    """
    plan = QUICK if quick else Plan()
    plan = replace(plan, variants=variant or plan.variants)
    folder = into or (SCRATCH if quick else DOCS)
    results = Results(folder / "results" / "bench.json")
    status = 0 if redraw else measure(plan, only or tuple(EXPERIMENTS), results)
    write(results, folder)
    sys.exit(status)


def measure(plan: Plan, experiments: tuple[str, ...], results: Results) -> int:
    """Run the experiments, each saved as it goes; the exit status: 130 for an interrupt, 1 for a failure."""
    console, begin, status = Console(stderr=True), time.monotonic(), 0
    for experiment in experiments:
        plan = replace(plan, missing={})
        results.begin(experiment)
        try:
            for piece, found in EXPERIMENTS[experiment](plan):
                results.add(experiment, piece, found)
                console.print(f"{time.monotonic() - begin:6.1f} s  {experiment}: {piece}", highlight=False)
        except KeyboardInterrupt:
            console.print(f"interrupted in {experiment}: what was measured so far is written")
            return 130
        except RuntimeError as failure:  # in one experiment: run the others all the same
            console.print(f"{experiment} failed: {failure}", markup=False)
            plan.missing[experiment] = str(failure)
            status = 1
        finally:
            results.save(experiment, plan)
    return status


if __name__ == "__main__":
    main()
