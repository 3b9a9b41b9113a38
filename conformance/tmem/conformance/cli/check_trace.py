"""`tmem check-trace`: can a recorded history have happened one call at a time?"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console

from tmem.conformance.history.checker import Illegal, Unknown
from tmem.conformance.history.trace.format import TraceError
from tmem.conformance.history.trace.stream import check_trace
from tmem.spec.clauses import CLAUSES


@click.command("check-trace")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--level",
    type=click.Choice(["linearizable", "integrity"]),
    default="linearizable",
    show_default=True,
    help="integrity: only that no page is torn, foreign or stale, for callers that lock pages themselves.",
)
@click.option("--atomic-flush", is_flag=True, help="Flush object is claimed to take effect at one instant.")
def command(file: Path, level: str, atomic_flush: bool) -> None:
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
        console.print(f"UNKNOWN  {result.reason}")
        sys.exit(3)
    if not isinstance(result, Illegal):
        if not result.calls:
            raise click.UsageError(f"{file} holds no call; write one a line, as docs/histories.md says")
        console.print(f"PASS  {result.calls:,} calls can have happened one at a time.")
        return
    known = CLAUSES.get(result.clause)
    console.print(f"✗ {result.clause}  {known.sentence if known else ''}")
    for call in result.window:
        end = "…" if call.end is None else call.end
        console.print(f"  thread {call.thread}  {call.begin} to {end}  {call}", markup=False, soft_wrap=True)
    console.print(f"came  {result.reason}", markup=False)
    console.print("FAIL  These calls alone cannot have happened one at a time.")
    sys.exit(1)
