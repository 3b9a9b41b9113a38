"""The line that says how far a run is, while it goes on. Without a terminal: a line per engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tmem.conformance import events
from tmem.conformance.events import Event, Found, Started, TurnBegan
from tmem.conformance.report.summary import Summary


class Line:
    """Shows events as they come; `summary` is the account that holds the totals."""

    def __init__(self, console: Console, summary: Summary, progress: Progress) -> None:
        self._console = console
        self._summary = summary
        self._progress = progress
        self._task = progress.add_task("loading", total=1.0, counts=summary.target)
        self._finished = 0.0
        self._share = 0.0
        self._broken: set[str] = set()
        self._first = True  # the counted run, not one of the further seeds

    def show(self, event: Event) -> None:
        """Bring the line up to date; findings stay on the screen above it."""
        match event:
            case Started():
                self._started(event)
            case TurnBegan():
                self._finished += self._share
                self._share = event.share
                self._progress.update(self._task, description=event.engine)
                self._progress.update(self._task, completed=min(self._finished, 1.0))
                if not self._console.is_terminal and self._first:
                    self._console.print(f"{event.engine}: {event.detail}", soft_wrap=True)
            case events.Progress():
                done = min(self._finished + self._share * event.done, 1.0)
                self._progress.update(self._task, completed=done, counts=self._summary.totals)
            case Found(finding) if finding.clause not in self._broken:
                self._broken.add(finding.clause)
                waived = finding.clause in self._summary.waived
                told = f"waived: {finding.clause}" if waived else f"[red]broken: {finding.clause}[/red]"
                self._console.print(f"{told} {escape(finding.message)}")

    def _started(self, event: Started) -> None:
        offers = "".join(
            f"; {verb} {', '.join(names)}"
            for verb, names in (("offers", event.abilities), ("claims", event.claims))
            if names
        )
        if self._summary.engines:  # another worker: after a crash, or with a further seed
            self._first = self._first and event.seed == self._summary.seed
            told = f"seed {event.seed}" if event.seed != self._summary.seed else "a new worker goes on"
        else:
            told = f"{event.target}: pages of {event.page_size} bytes{offers}"
        if not self._first:
            self._finished = self._share = 0.0
        self._console.print(escape(told), soft_wrap=True)


@contextmanager
def progress(console: Console, summary: Summary) -> Iterator[Line]:
    """The line, from here to the end of the block."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", style="bold"),
        BarColumn(20),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with live:
        yield Line(console, summary, live)
