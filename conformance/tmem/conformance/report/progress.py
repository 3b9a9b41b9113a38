"""The line that says how far a run is, while it goes on. Without a terminal: a line per engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from tmem.conformance import events
from tmem.conformance.events import Event, Found, Seen, Started, TurnBegan
from tmem.conformance.report.summary import Summary


class Line:
    """Shows events as they come; `summary` is the account that holds the totals."""

    def __init__(self, console: Console, summary: Summary, progress: Progress) -> None:
        self._console = console
        self._summary = summary
        self._progress = progress
        self._task = progress.add_task("loading", total=1.0, counts=summary.target)
        self._shares: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._broken: set[str] = set()
        self._seeds: set[int] = set()

    def show(self, event: Event) -> None:
        """Bring the line up to date; findings stay on the screen above it."""
        match event:
            case Started():
                self._started(event)
            case TurnBegan():
                self._began(event)
            case events.Progress():
                self._done[event.engine] = max(self._done.get(event.engine, 0.0), event.done)
                done = sum(share * self._done.get(name, 0.0) for name, share in self._shares.items())
                at_work = [name for name in self._shares if 0 < self._done.get(name, 0.0) < 1]
                self._progress.update(
                    self._task,
                    description=", ".join(at_work) or event.engine or None,
                    completed=min(done, 1.0),
                    counts=self._summary.totals,
                )
            case Seen(finding) | Found(finding) if finding.clause not in self._broken:
                self._broken.add(finding.clause)
                waived = finding.clause in self._summary.waived
                word = "waived" if waived else "broken"
                style = "" if waived else "red"
                self._console.print(
                    Text.assemble((f"{word}: {finding.clause}", style), f" {finding.message}")
                )

    def _began(self, event: TurnBegan) -> None:
        self._progress.update(self._task, description=event.engine)
        first = event.engine not in self._shares
        self._shares[event.engine] = max(event.share, self._shares.get(event.engine, 0.0))
        if first and not self._console.is_terminal:
            self._console.print(f"{event.engine}: {event.detail}", soft_wrap=True)

    def _started(self, event: Started) -> None:
        if event.seed in self._seeds:  # one more worker
            return
        if self._seeds:
            self._done.clear()
            line = f"seed {event.seed}"
        else:
            offers = "".join(
                f"; {verb} {', '.join(names)}"
                for verb, names in (("offers", event.abilities), ("claims", event.claims))
                if names
            )
            line = f"{event.target}: pages of {event.page_size} bytes{offers}"
        self._seeds.add(event.seed)
        self._console.print(Text(line), soft_wrap=True)


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
