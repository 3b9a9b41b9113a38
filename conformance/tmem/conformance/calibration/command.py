"""`tmem calibrate`: does the suite notice every fault, and raise no alarm on what conforms?"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from tmem.conformance import files
from tmem.conformance.calibration import gains_table, run
from tmem.conformance.calibration.gains import gains as gained
from tmem.conformance.calibration.run import Calibration, Outcome
from tmem.conformance.calibration.run import Progress as OnProgress
from tmem.conformance.faults import FAULTS
from tmem.conformance.targets import TargetError
from tmem.conformance.targets.resolve import resolve
from tmem.conformance.targets.suggest import nearest

T = TypeVar("T")
BACKENDS: Final = 1_000


@click.command()
@click.option("--target", default="impl", show_default=True, help="The backend that faults wrap.")
@click.option(
    "--faults",
    default="*",
    metavar="PATTERN",
    help="Only the faults whose name matches, such as put-*. Results are then printed, not written.",
)
@click.option(
    "--seeds", type=click.IntRange(1), default=20, show_default=True, help="Seeds on which each fault is run."
)
@click.option(
    "--backends",
    type=click.IntRange(0),
    default=None,
    show_default=f"{BACKENDS:,}, or 0 with --faults",
    help="How many conforming backends to run.",
)
@click.option(
    "--operations",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Operations on each conforming backend.",
)
@click.option(
    "--work", type=click.Path(path_type=Path), default=".tmem-calibration", help="Folder for work under way."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default="docs/results", help="Folder for the JSON files."
)
@click.option(
    "--page", type=click.Path(path_type=Path), default="docs/calibration.md", help="The Markdown page."
)
@click.option(
    "--gains",
    type=click.IntRange(1),
    metavar="SEEDS",
    help="Measure instead what each heuristic gains, on this number of seeds.",
)
@click.option(
    "--canaries", type=click.Path(path_type=Path), help="Also write the file that selects canaries."
)
def calibrate(
    target: str,
    faults: str,
    seeds: int,
    backends: int | None,
    operations: int,
    work: Path,
    results: Path,
    page: Path,
    gains: int | None,
    canaries: Path | None,
) -> None:
    """Measure that faults are caught and that conforming backends raise no alarm.

    Finished work is kept: an interrupted calibration goes on where it stopped, unless tmem itself has changed
    since. With --faults the results are printed and nothing is written. Exit codes: 0; 1 if a fault survived
    or an alarm was false; 2 if the command is wrong.
    """
    chosen = tuple(name for name in FAULTS if fnmatch.fnmatch(name, faults))
    if not chosen:
        raise click.UsageError(f"no fault matches {faults!r}{nearest(faults, FAULTS)}")
    try:
        resolve(target)
    except TargetError as error:
        raise click.UsageError(str(error)) from error
    whole = len(chosen) == len(FAULTS)
    _refuse("--work", files.folder_objection(work))
    if whole:
        _refuse("--results", files.folder_objection(results))
        _refuse("--page", _file_objection(page))
        _refuse("--canaries", None if canaries is None else _file_objection(canaries))
    console = Console()
    if gains is not None:
        found = _shown(console, work, lambda progress: run.measure(target, chosen, gains, work, progress))
        if not whole:
            click.echo(gains_table.markdown(target, gains, gained(found)))
            click.echo(_not_written(chosen))
            return
        for path in run.write_gains(target, gains, found, results, page):
            console.print(f"wrote {path}")
        return
    if backends is None:
        backends = BACKENDS if whole else 0
    calibration = Calibration(target, chosen, seeds, backends, operations)
    outcome = _shown(console, work, lambda progress: run.calibrate(calibration, work, progress))
    if whole:
        for path in run.write(calibration, outcome, results, page, canaries):
            console.print(f"wrote {path}")
    else:
        _print_faults(outcome)
    _print_summary(console, outcome)
    if not whole:
        click.echo(_not_written(chosen))
    sys.exit(0 if outcome.good else 1)


def _file_objection(path: Path) -> str | None:
    if path.is_dir():
        return f"{path} is a folder; name a file in it"
    return files.folder_objection(path.parent)


def _refuse(option: str, why: str | None) -> None:
    """End the command, before hours of work, if the file or folder of an option cannot be written."""
    if why:
        raise click.BadParameter(why, param_hint=f"'{option}'")


def _not_written(chosen: Sequence[str]) -> str:
    return f"Nothing was written: the tables need all {len(FAULTS)} faults, and this run had {len(chosen)}."


def _shown(console: Console, work: Path, does: Callable[[OnProgress], T]) -> T:
    """Run the calibration with a progress bar. If it is interrupted, print how to continue."""
    try:
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("calibrating", total=None)
            return does(lambda done, total: progress.update(bar, completed=done, total=total))
    except KeyboardInterrupt:
        console.print(f"Interrupted. Finished work is kept in {work}; the same command goes on from there.")
        sys.exit(1)


def _print_faults(outcome: Outcome) -> None:
    for fault, kills in groupby(outcome.kills, key=lambda each: each.fault):
        seeds = list(kills)
        clauses = ", ".join(sorted({each.clause for each in seeds if each.clause})) or "nothing"
        operations = [each.operations for each in seeds]
        click.echo(
            f"{fault}: {sum(each.killed for each in seeds)}/{len(seeds)} kills, blamed on {clauses}, "
            f"operations {median(operations):,g} / {max(operations):,}"
        )


def _print_summary(console: Console, outcome: Outcome) -> None:
    for each in outcome.kills:
        if not each.killed:
            how = f"was blamed on {each.clause}" if each.clause else "survived"
            console.print(f"{each.fault} {how}, seed {each.seed}")
    for backend in outcome.accepted:
        for alarm in backend.alarms:
            console.print(
                f"false alarm on the conforming backend {backend.seed}: {alarm} ({backend.choices})"
            )
    killed = sum(each.killed for each in outcome.kills)
    console.print(f"{killed} of {len(outcome.kills)} runs of faults were kills.")
    console.print(f"{len(outcome.accepted)} conforming backends were run.")
