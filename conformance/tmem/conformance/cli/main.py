"""The `tmem` command."""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.text import Text

from tmem.conformance import files
from tmem.conformance.calibration.command import calibrate
from tmem.conformance.cli import explain as explaining
from tmem.conformance.cli import waivers as waiving
from tmem.conformance.cli.build import cc, header, new_backend, show_flags
from tmem.conformance.cli.check_trace import command as check_trace
from tmem.conformance.cli.console import follow, interruptible
from tmem.conformance.cli.waivers import Waiver
from tmem.conformance.report import as_html, as_json, as_junit, terminal
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import USAGE, Verdict, verdict
from tmem.conformance.run import replay as replaying
from tmem.conformance.run.check import CONFIRM, LIMIT
from tmem.conformance.run.cluster import Cluster, connected
from tmem.conformance.run.hang import HANG_AFTER
from tmem.conformance.run.request import Request, cores
from tmem.conformance.run.supervisor import RunError

REPLAYS = 5
"""How often `tmem replay` runs a replay file."""
EXITS = """\b
Exit codes, the first that applies:
  2  the target cannot be used, or the command is wrong
  1  FAIL         a clause was broken
  5  INSENSITIVE  a seeded fault went unnoticed
  3  UNKNOWN      the run ended before an answer
  4  VACUOUS      nothing was broken, but too little happened to say more
  0  PASS
"""


def _report_path(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and (why := files.objection(path)):
        raise click.BadParameter(why)
    return path


def _report(name: str, what: str) -> Callable[[Any], Any]:
    kind = click.Path(path_type=Path)
    return click.option(f"--{name}", type=kind, metavar="FILE", callback=_report_path, help=f"Write {what}.")


class _Seconds(click.FloatRange):
    """A finite time in seconds; click itself accepts `nan` and `inf`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a finite number of seconds.", param, ctx)
        return seconds


hang_after = click.option(
    "--hang-after",
    type=_Seconds(min=0.1),
    default=HANG_AFTER,
    metavar="SECONDS",
    show_default=True,
    help="How long one operation may take before it counts as hung.",
)


class _Commands(click.Group):
    """Ends with exit code 2 where the output cannot be written: 1 is the code of FAIL."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except SystemExit:
            try:
                sys.stdout.flush()
            except OSError as error:
                _no_output(error)
            raise
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
                raise
            _no_output(error)


def _no_output(error: OSError) -> NoReturn:
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes stdout at exit
    with suppress(OSError):
        click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
    sys.exit(USAGE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tmem")
def main() -> None:
    """Transcendent memory: check a page store against the contract, and read the contract."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show ⟨ or → shows ?


@main.command(epilog=EXITS)
@click.argument("target", default="impl")
@click.option(
    "--budget",
    type=_Seconds(min=0, min_open=True),
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
@_report("json", "the report as JSON")
@_report("junit", "the report as JUnit XML, a test case per clause")
@_report("html", "the report as a page")
@click.option(
    "--replays",
    type=click.Path(path_type=Path, file_okay=False),
    default=replaying.FOLDER,
    metavar="FOLDER",
    show_default=True,
    help="Where a replay file of each violation goes.",
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
@hang_after
def check(
    target: str,
    budget: float | None,
    seed: int,
    level: str,
    json: Path | None,
    junit: Path | None,
    html: Path | None,
    replays: Path,
    waivers: Path | None,
    races: bool,
    real_threads: bool,
    own: tuple[str, ...],
    jobs: int,
    executor: str | None,
    fail_fast: bool,
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
    with _machines(executor) as cluster:
        failure = follow(request, summary, fail_fast, cluster)
    if failure is not None and not summary.violations:
        _fail(failure, replays)
    if failure is not None:
        summary.notes.append(f"The run could not go on: {failure}")
    saved = _save(summary, replays)
    terminal.show(terminal.console(), terminal.report(summary, saved))
    for path, text in (
        (json, lambda: as_json.text(summary, saved)),
        (junit, lambda: as_junit.text(summary)),
        (html, lambda: as_html.text(summary, saved)),
    ):
        if path is not None:
            _write(path, text)
    sys.exit(verdict(summary).value)


@main.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--against", metavar="TARGET", help="Run it against this target; default: the one of the file.")
@hang_after
def replay(file: Path | None, against: str | None, hang_after: float) -> None:
    """Try to reproduce a violation from its replay file. Without FILE, list the replay files that there are.

    The counterexample is run several times. Prints how often it failed and one of FAILED; FIXED, if it failed
    each time when the file was written and does not now; or UNREPRODUCIBLE, if it failed by chance.

    Exit codes: 1 FAILED, 0 FIXED, 3 UNREPRODUCIBLE, 2 for a file or target that cannot be used.
    """
    if file is None:
        _list()
        return
    try:
        recorded = replaying.load(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    target = against or recorded.target
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
        _fail(RunError("interrupted before there was an answer"), file.parent)
    except RunError as failure:
        _fail(failure, file.parent)
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


main.add_command(calibrate)
main.add_command(check_trace)
main.add_command(header)
main.add_command(show_flags)
main.add_command(cc)
main.add_command(new_backend)


@main.command()
@click.argument("clause", required=False)
def explain(clause: str | None) -> None:
    """List the clauses and claims, or show one: sentence, sources, example, the code that decides it.

    CLAUSE is an id in any case; TMEM- may be left out, as in put-3.
    """
    try:
        shown = explaining.explain(clause) if clause else explaining.listing()
    except LookupError as error:
        raise click.UsageError(str(error)) from error
    terminal.show(terminal.console(), shown)


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
        _fail(RunError("interrupted while the waivers were checked"), file.parent)
    except RunError as failure:
        _fail(failure, file.parent)
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


def _list() -> None:
    """Print the replay files of the default folder, with their targets."""
    found = replaying.known(replaying.FOLDER)
    if not found:
        raise click.UsageError(f"no FILE is given, and {replaying.FOLDER} holds no replay file")
    target = ""
    for path, recorded in found.items():
        if recorded.target != target:
            target = recorded.target
            click.echo(target)
        click.echo(f"  {recorded.clause:14} {path}")


def _write(path: Path, text: Callable[[], str]) -> None:
    try:
        files.write(path, text())
    except OSError as error:
        click.echo(f"Error: {path} could not be written: {error.strerror}", err=True)
        sys.exit(USAGE)


def _fail(failure: RunError, folder: Path) -> NoReturn:
    """End the command with one line; details go into a file."""
    terminal.console(stderr=True).print(Text(f"Error: {failure}"), soft_wrap=True)
    if failure.details:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files.write(folder / "failure.txt", failure.details)
            click.echo(f"Details are in {folder / 'failure.txt'}.", err=True)
        except OSError:
            pass
    sys.exit(USAGE)
