"""What is shown of a run while it goes on: lines that stay in place, or plain ones without a terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final, NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from tmem.conformance import events
from tmem.conformance.events import Canary, Event, Found, Note, Seen, Started, TurnBegan
from tmem.conformance.report.summary import Summary

WINDOW: Final = 5.0
"""Seconds over which a speed is measured."""
EARLY: Final = 0.05
"""The part of the work before which nothing is said of the time that is left."""
BAR: Final = 16
_ROOM: Final = 56
"""Columns below which the bar is left out."""


class Loudness(Enum):
    """How much is said while a run goes on."""

    QUIET = "quiet"
    """Nothing."""
    NORMAL = "normal"
    VERBOSE = "verbose"
    """Notes, canaries and coverpoints too, as they come."""


class _Look(NamedTuple):
    at: float
    operations: int
    schedules: int


class Progress:
    """Shows events as they come; `summary` is the account that holds the totals.

    `seconds` is the time that the run was given, if it was.
    """

    def __init__(
        self,
        console: Console,
        summary: Summary,
        loudness: Loudness = Loudness.NORMAL,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._summary, self._loudness = console, summary, loudness
        self._seconds, self._clock = seconds, clock
        self._start = self._found_at = clock()
        self._looks: deque[_Look] = deque([_Look(self._start, 0, 0)])
        self._shares: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._broken: set[str] = set()
        self._seeds: set[int] = set()
        self._discovered = 0
        self._spinner = Spinner("dots")

    # Lines that stay on the screen

    def show(self, event: Event) -> None:
        """Take an event into account, which the summary has already; findings stay on the screen."""
        match event:
            case Started():
                self._started(event)
            case TurnBegan():
                self._began(event)
            case events.Progress():
                self._done[event.engine] = max(self._done.get(event.engine, 0.0), event.done)
                self._looked()
            case Seen(finding) | Found(finding) if finding.clause not in self._broken:
                self._broken.add(finding.clause)
                waived = finding.clause in self._summary.waived
                word = "waived" if waived else "broken"
                style = "" if waived else "red"
                self._say(Text.assemble((f"{word}: {finding.clause}", style), f" {finding.message}"))
            case Note(text) if self._loudness is Loudness.VERBOSE:
                self._say(Text(text, style="dim"))
            case Canary() if self._loudness is Loudness.VERBOSE:
                self._say(
                    Text(f"canary {event.fault}: {'noticed' if event.caught else 'not noticed'}", style="dim")
                )
        self._discover()

    def _say(self, text: Text) -> None:
        if self._loudness is not Loudness.QUIET:
            self._console.print(text, soft_wrap=not self._console.is_terminal)

    def _began(self, event: TurnBegan) -> None:
        first = event.engine not in self._shares
        self._shares[event.engine] = max(event.share, self._shares.get(event.engine, 0.0))
        if first and (not self._console.is_terminal or self._loudness is Loudness.VERBOSE):
            self._say(Text(f"{event.engine}: {event.detail}"))

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
        self._say(Text(line))

    def _discover(self) -> None:
        known = self._summary.discoveries
        if len(known) == self._discovered:
            return
        self._found_at = self._clock()
        for each in known[self._discovered :] if self._loudness is Loudness.VERBOSE else ():
            self._say(Text(f"new: {each.last} ({each.reached} reached)", style="dim"))
        self._discovered = len(known)

    # Lines that change

    def _looked(self) -> None:
        now = self._clock()
        self._looks.append(_Look(now, self._summary.operations, self._summary.schedules))
        while len(self._looks) > 2 and now - self._looks[1].at > WINDOW:
            self._looks.popleft()

    def _speed(self, count: int, before: int) -> str:
        seconds = self._clock() - self._looks[0].at
        return f", {(count - before) / seconds:,.0f}/s" if seconds > 0 and count > before else ""

    @property
    def done(self) -> float:
        """How much of the work is done, 0 to 1."""
        return min(sum(share * self._done.get(name, 0.0) for name, share in self._shares.items()), 1.0)

    def left(self) -> str:
        """The time that is left, in words; empty while nothing can be said of it."""
        passed = self._clock() - self._start
        if self._seconds is not None:
            return f"{max(self._seconds - passed, 0):,.0f} s left"
        if self.done < EARLY:
            return ""
        return f"about {passed * (1 - self.done) / self.done:,.0f} s left"

    def lines(self) -> Iterator[Text]:
        """What was done, how fast, the world so far, and the last new behaviour."""
        summary, before = self._summary, self._looks[0]
        yield Text(
            f"{summary.operations:,} operations{self._speed(summary.operations, before.operations)}; "
            f"{summary.schedules:,} schedules{self._speed(summary.schedules, before.schedules)}"
        )
        if pages := summary.world.get("pages"):
            yield Text(f"world: {pages:,} pages, {summary.world.get('clients', 0):,} clients", style="dim")
        if summary.discoveries:
            ago = self._clock() - self._found_at
            yield Text(f"last new behaviour {ago:,.0f} s ago: {summary.discoveries[-1].last}", style="dim")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        at_work = [name for name in self._shares if 0 < self._done.get(name, 0.0) < 1]
        grid = Table.grid(padding=(0, 1))
        head = [
            Text(", ".join(at_work) or "loading", style="bold"),
            Text(f"{self.done:.0%}"),
            Text(self.left()),
        ]
        if options.max_width >= _ROOM:
            head.insert(1, ProgressBar(total=1.0, completed=self.done, width=BAR))  # type: ignore[arg-type]  # a row holds any renderable
        grid.add_row(self._spinner, *head)
        yield grid
        yield from self.lines()


@contextmanager
def progress(
    console: Console,
    summary: Summary,
    loudness: Loudness = Loudness.NORMAL,
    seconds: float | None = None,
) -> Iterator[Progress]:
    """What is shown, from here to the end of the block."""
    shown = Progress(console, summary, loudness, seconds)
    if not console.is_terminal or loudness is Loudness.QUIET:
        yield shown
        return
    with Live(shown, console=console, transient=True, refresh_per_second=4):
        yield shown
