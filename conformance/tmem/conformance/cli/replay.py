"""`tmem replay`: a violation again, from its replay file."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from tmem.conformance.cli.console import fail, interruptible
from tmem.conformance.cli.options import hang_after
from tmem.conformance.report import terminal
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Verdict
from tmem.conformance.run import replay as replaying
from tmem.conformance.run import script as scripts
from tmem.conformance.run.supervisor import RunError

REPLAYS: Final = 5
"""How often a replay file is run."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--against", metavar="TARGET", help="Run it against this target; default: the one of the file.")
@click.option(
    "--script",
    is_flag=True,
    help="Write it as a program beside FILE that needs the target alone: Python, or C for a library.",
)
@hang_after
def replay(file: Path | None, against: str | None, script: bool, hang_after: float) -> None:
    """Try to reproduce a violation from its replay file. Without FILE, or for a folder, list them.

    The counterexample is run several times. Prints how often it failed and one of FAILED; FIXED, if it failed
    each time when the file was written and does not now; or UNREPRODUCIBLE, if it failed by chance.

    Exit codes: 1 FAILED, 0 FIXED, 3 UNREPRODUCIBLE, 2 for a file or target that cannot be used.
    """
    if file is None or file.is_dir():
        _list(file or replaying.FOLDER)
        return
    try:
        recorded = replaying.load(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    target = against or recorded.target
    if script:
        _script(replace(recorded, target=target), file, hang_after)
        return
    summary = Summary(target, recorded.seed, recorded.level)
    try:
        with (
            interruptible(),
            closing(replaying.again(recorded, against, hang_after, tries=REPLAYS)) as events,
        ):
            for event in events:
                summary.add(event)
    except ValueError as error:
        raise click.UsageError(f"{file}: {error}") from error
    except KeyboardInterrupt:
        fail(RunError("interrupted before there was an answer"), file.parent)
    except RunError as failure:
        fail(failure, file.parent)
    console = terminal.console()
    for finding in summary.findings.values():
        terminal.show(console, terminal.story(finding))
    confirmed = summary.confirmed[recorded.clause]
    if summary.findings:
        by = "" if recorded.clause in summary.findings else f", by another clause than {recorded.clause}"
        console.print(f"\nFAILED  {target}{by}. {terminal.rate(confirmed)}", style="bold red")
        sys.exit(Verdict.FAIL.value)
    tries = f"It failed in 0 of {confirmed.tries} replays"
    if confirmed.tries and not recorded.by_chance:
        console.print(f"FIXED  {target}. {tries}; {recorded.clause} was broken when {file} was written.")
        return
    was = ""
    if recorded.rate is not None:
        was = f", and in {recorded.rate[0]} of {recorded.rate[1]} when {file} was written"
    console.print(f"UNREPRODUCIBLE  {target}. {tries}{was}.")
    sys.exit(Verdict.UNKNOWN.value)


def _script(recorded: replaying.Replay, file: Path, hang_after: float) -> None:
    """Write the program of a replay file, or say why there can be none."""
    try:
        with interruptible():
            path = scripts.write(recorded, file, hang_after)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"there is no program of {file}: {error}") from error
    except KeyboardInterrupt:
        fail(RunError("interrupted before the program was written"), file.parent)
    except RunError as failure:
        fail(failure, file.parent)
    click.echo(f"{path} is written: {terminal.alone(path)}")


def _list(folder: Path) -> None:
    """Print the replay files of a folder, with their targets."""
    found = replaying.known(folder)
    if not found:
        raise click.UsageError(f"{folder} holds no replay file")
    target = ""
    for path, recorded in found.items():
        if recorded.target != target:
            target = recorded.target
            click.echo(target)
        click.echo(f"  {recorded.clause:14} {path}")
