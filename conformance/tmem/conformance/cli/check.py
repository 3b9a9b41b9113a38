"""`tmem check`: a target against the contract, clause by clause."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import click

from tmem.conformance.cli import waivers as waiving
from tmem.conformance.cli.console import fail, follow, interruptible
from tmem.conformance.cli.ndjson import stream
from tmem.conformance.cli.options import Seconds, hang_after, report_option
from tmem.conformance.cli.reports import write
from tmem.conformance.cli.waivers import Waiver
from tmem.conformance.report import as_annotations, as_html, as_json, as_junit, as_sarif, terminal
from tmem.conformance.report.causes import causes
from tmem.conformance.report.progress import Loudness
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import verdict
from tmem.conformance.run import replay as replaying
from tmem.conformance.run import script as scripts
from tmem.conformance.run.check import CONFIRM, LIMIT
from tmem.conformance.run.cluster import Cluster, connected
from tmem.conformance.run.request import Request, cores
from tmem.conformance.run.supervisor import RunError

PROGRAMS: Final = 3
"""Violations of which a run writes programs, since each is replayed once more for it."""
EXITS: Final = """\b
Exit codes, the first that applies:
  2  the target cannot be used, or the command is wrong
  1  FAIL         a clause was broken
  5  INSENSITIVE  a seeded fault went unnoticed
  3  UNKNOWN      the run ended before an answer
  4  VACUOUS      nothing was broken, but too little happened to say more
  0  PASS
"""


@click.command(epilog=EXITS)
@click.argument("target", default="impl")
@click.option(
    "--budget",
    type=Seconds(min=0, min_open=True),
    metavar="SECONDS",
    help="Wall time for the whole run: it cuts the counted run short, or goes on with further seeds.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", show_default=True, help="Seed.")
@click.option(
    "--level",
    type=click.Choice(replaying.LEVELS),
    default="linearizable",
    show_default=True,
    help="What overlapping operations must keep.",
)
@report_option("json", "the report as JSON")
@report_option("junit", "the report as JUnit XML, a test case per clause")
@report_option("html", "the report as a page")
@report_option("sarif", "what has a place in the source as SARIF, for tools that show it beside the code")
@report_option("ndjson", "the events of the run as they come, one JSON object a line")
@click.option(
    "--replays",
    type=click.Path(path_type=Path, file_okay=False),
    default=replaying.FOLDER,
    metavar="FOLDER",
    show_default=True,
    help="Where replay files go, in a folder for each target. Those of TARGET are replayed first.",
)
@click.option(
    "--waivers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Clauses that may be broken, each with its reason and a counterexample, which must still fail.",
)
@click.option("--races", is_flag=True, help="Fail where compiled code has a data race; else it is a note.")
@click.option(
    "--real-threads",
    is_flag=True,
    help="Run schedules on real threads, even if the target does not seem to block outside Python.",
)
@click.option(
    "--own",
    multiple=True,
    metavar="PACKAGE",
    help="An installed package in which schedules switch threads, as they do in the target's own code.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=cores,
    metavar="N",
    show_default="the cores",
    help="Number of workers at the same time. The findings of a seed do not depend on it.",
)
@click.option(
    "--executor",
    metavar="ADDRESS",
    help="Machines that do the work, each with TARGET: dask://HOST:PORT, where a Dask scheduler listens.",
)
@click.option("--fail-fast", is_flag=True, help="End at the first violation.")
@click.option("-q", "--quiet", is_flag=True, help="Show violations and the verdict, and nothing else.")
@click.option("-v", "--verbose", is_flag=True, help="Show notes, canaries and new behaviour as they come.")
@hang_after
def check(
    target: str,
    budget: float | None,
    seed: int,
    level: str,
    json: Path | None,
    junit: Path | None,
    html: Path | None,
    sarif: Path | None,
    ndjson: Path | None,
    replays: Path,
    waivers: Path | None,
    races: bool,
    real_threads: bool,
    own: tuple[str, ...],
    jobs: int,
    executor: str | None,
    fail_fast: bool,
    quiet: bool,
    verbose: bool,
    hang_after: float,
) -> None:
    """Check TARGET against the contract, clause by clause.

    \b
    TARGET is one of
      impl                        the page store of this project (the default)
      model:STRATEGY              the adversary: keep, evict-at-once, refuse-puts, ...
      py:package.module:factory   a callable without arguments that returns
      py:path/file.py:factory     a fresh backend
      so:./libstore.so            a shared library in C, C++ or Rust (tmem header)
      cmd:./program args          a program that answers frames on its standard streams
      unix:PATH, tcp:HOST:PORT    a server that answers frames (tmem serve)
    """
    summary = Summary(target, seed, level, races_fail=races)
    if waivers is not None:
        summary.waived = {each.clause: each.reason for each in _holding(waivers, target, hang_after)}
    request = Request(
        target,
        seed,
        level,
        budget,
        hang_after,
        jobs=jobs,
        limit=LIMIT,
        confirm=CONFIRM,
        real_threads=real_threads,
        own=own,
    )
    with _machines(executor) as cluster, stream(ndjson) as tell:
        kept = replaying.known(replaying.of_target(replays, target))
        loudness = Loudness.QUIET if quiet else Loudness.VERBOSE if verbose else Loudness.NORMAL
        failure = follow(request, summary, fail_fast, cluster, tell, kept, loudness)
    if failure is not None and not summary.violations:
        fail(failure, replays)
    if failure is not None:
        summary.notes.append(f"The run could not go on: {failure}")
    saved = _save(summary, replays)
    programs = {} if summary.interrupted else _programs(saved, summary, hang_after)
    _show(summary, saved, programs, quiet, replaying.of_target(replays, target))
    for path, text in (
        (json, lambda: as_json.text(summary, saved, programs)),
        (junit, lambda: as_junit.text(summary)),
        (html, lambda: as_html.text(summary, saved, programs)),
        (sarif, lambda: as_sarif.text(summary)),
    ):
        if path is not None:
            write(path, text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in as_annotations.lines(summary):
            click.echo(line)
    sys.exit(verdict(summary).value)


def _show(
    summary: Summary, saved: dict[str, Path], programs: dict[str, Path], quiet: bool, folder: Path
) -> None:
    """Print the report; of a run that was interrupted one line."""
    console = terminal.console()
    if summary.interrupted:
        console.print(terminal.interrupted(summary, folder), soft_wrap=True)
    else:
        report = terminal.short_report if quiet else terminal.report
        terminal.show(console, report(summary, saved, programs))


@contextmanager
def _machines(executor: str | None) -> Iterator[Cluster | None]:
    """The cluster at an address; None for this machine alone."""
    if executor is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(connected(executor))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--executor") from error
        yield cluster


def _holding(file: Path, target: str, hang_after: float) -> list[Waiver]:
    """Load the waivers of a file; end the command if one of them does not hold for the target."""
    try:
        loaded = waiving.load(file)
        for waiver in loaded:
            with interruptible():
                if why := waiving.refuted(waiver, target, hang_after):
                    raise ValueError(f"{file}: the waiver of {waiver.clause} does not hold: {why}")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt:
        fail(RunError("interrupted while the waivers were checked"), file.parent)
    except RunError as failure:
        fail(failure, file.parent)
    return loaded


def _save(summary: Summary, folder: Path) -> dict[str, Path]:
    """Write a replay file for each violation. Returns the files that could be written, by clause."""
    saved = {}
    for clause, finding in (summary.violations | summary.seen_once).items():
        try:
            saved[clause] = replaying.save(folder, finding, summary)
        except OSError as error:
            summary.notes.append(f"The replay of {clause} could not be written: {error}")
    return saved


def _programs(saved: dict[str, Path], summary: Summary, hang_after: float) -> dict[str, Path]:
    """Write the programs of the first violations; of the others `tmem replay --script` does."""
    written: dict[str, Path] = {}
    first = [cause.finding.clause for cause in causes(summary.violations.values())][:PROGRAMS]
    with suppress(KeyboardInterrupt), interruptible():
        for clause in first:
            if clause in saved:
                with suppress(ValueError, OSError, RunError):
                    recorded = replaying.load(saved[clause])
                    written[clause] = scripts.write(recorded, saved[clause], hang_after)
    return written
