"""Follows a run on the terminal: to its end, to Ctrl-C, or until it cannot go on."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import click
from rich.text import Text

from tmem.conformance import files
from tmem.conformance.events import Event
from tmem.conformance.report.progress import Loudness, progress
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import console
from tmem.conformance.report.verdict import USAGE
from tmem.conformance.run.check import check
from tmem.conformance.run.cluster import Cluster
from tmem.conformance.run.replay import Replay
from tmem.conformance.run.request import Request
from tmem.conformance.run.supervisor import RunError
from tmem.conformance.turn import ignore


def follow(
    request: Request,
    summary: Summary,
    fail_fast: bool = False,
    cluster: Cluster | None = None,
    tell: Callable[[Event], None] = ignore,
    kept: Mapping[Path, Replay] = MappingProxyType({}),
    loudness: Loudness = Loudness.NORMAL,
) -> RunError | None:
    """Run the request, on a cluster's machines if there is one, and show its progress.

    Each event is told to `tell`, too; `kept` are failures that are replayed first. Returns the failure that
    ended the run, or None.
    Ctrl-C ends the run early; so does the first violation with `fail_fast`.
    """
    start = time.monotonic()
    try:
        with (
            progress(console(), summary, loudness, request.budget) as line,
            interruptible(),
            closing(check(request, cluster=cluster, kept=kept)) as events,
        ):
            for event in events:
                summary.add(event)
                line.show(event)
                tell(event)
                if fail_fast and summary.violations:
                    summary.notes.append("The run ended at the first violation, as --fail-fast asks.")
                    break
    except KeyboardInterrupt:
        summary.interrupted = True
        summary.notes.append("The run was interrupted: the report has what was found until then.")
    except RunError as failure:
        return failure
    finally:
        summary.seconds = time.monotonic() - start
    return None


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that the worker ends and the findings are reported."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def fail(failure: RunError, folder: Path) -> NoReturn:
    """End the command with one line; details go into a file."""
    console(stderr=True).print(Text(f"Error: {failure}"), soft_wrap=True)
    if failure.details:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files.write(folder / "failure.txt", failure.details)
            click.echo(f"Details are in {folder / 'failure.txt'}.", err=True)
        except OSError:
            pass
    sys.exit(USAGE)
