"""`tmem check-trace`: can a recorded history have happened one call at a time?"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import click
from rich.console import Console

from tmem.conformance.cli.history_timeline import timeline
from tmem.conformance.cli.options import report_option
from tmem.conformance.cli.reports import write
from tmem.conformance.events import Finding
from tmem.conformance.history.calls import Call
from tmem.conformance.history.checker import Illegal, Unknown
from tmem.conformance.history.trace.format import TraceError
from tmem.conformance.history.trace.stream import check_trace
from tmem.conformance.report import history_page
from tmem.spec.clauses import CLAUSES

ALLOWED: Final = "an order of instants that explains every answer"


@click.command("check-trace")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--level",
    type=click.Choice(["linearizable", "integrity"]),
    default="linearizable",
    show_default=True,
    help="integrity: only that no page is torn, foreign or stale, for callers that lock pages themselves.",
)
@report_option("html", "the result as a page, with a diagram of the calls that contradict each other")
@click.option("--atomic-flush", is_flag=True, help="Flush object is claimed to take effect at one instant.")
def command(file: Path, level: str, html: Path | None, atomic_flush: bool) -> None:
    """Check a recorded history, one call a line as JSON; - reads standard input.

    Exit codes: 0 where it can have happened one call at a time, 1 where it cannot, 3 where the search for an
    answer was given up, 2 for a file that is no history or holds no call.
    """
    console = Console(highlight=False)
    claims = ("atomic-flush",) if atomic_flush else ()
    source: Path | Iterable[str] = sys.stdin if str(file) == "-" else file
    try:
        with console.status("reading calls") as status:
            result = check_trace(
                source, level=level, claims=claims, progress=lambda calls: status.update(f"{calls:,} calls")
            )
    except TraceError as error:
        raise click.UsageError(f"{file}: {error}") from error
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    except KeyboardInterrupt:
        console.print("UNKNOWN  interrupted before there was an answer")
        sys.exit(3)
    if isinstance(result, Unknown):
        _end(console, html, file, "UNKNOWN", result.reason)
    if not isinstance(result, Illegal):
        if not result.calls:
            raise click.UsageError(f"{file} holds no call; write one a line, as docs/histories.md says")
        _end(console, html, file, "PASS", f"{result.calls:,} calls can have happened one at a time.")
    known = CLAUSES.get(result.clause)
    console.print(f"✗ {result.clause}  {known.sentence if known else ''}")
    calls = [_line(call) for call in result.window]
    for line in calls:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print(f"came  {result.reason}", markup=False)
    found = Finding(result.clause, result.reason, ALLOWED, tuple(calls), timeline=timeline(result))
    _end(console, html, file, "FAIL", "These calls alone cannot have happened one at a time.", found, calls)


def _line(call: Call) -> str:
    return f"thread {call.thread}  {call.begin} to {'…' if call.end is None else call.end}  {call}"


def _end(
    console: Console,
    html: Path | None,
    file: Path,
    verdict: str,
    said: str,
    found: Finding | None = None,
    calls: Sequence[str] = (),
) -> NoReturn:
    """Print the verdict, write the page if one was asked for, and exit."""
    console.print(f"{verdict}  {said}")
    if html is not None:
        write(html, lambda: history_page.text(str(file), verdict, said, found, calls))
    sys.exit({"PASS": 0, "FAIL": 1, "UNKNOWN": 3}[verdict])
