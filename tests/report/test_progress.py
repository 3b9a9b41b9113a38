"""What is shown of a run while it goes on."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.report.test_reports import EVENTS, STALE
from tmem.conformance.events import Covered, Event, Found, Progress, TurnBegan, World
from tmem.conformance.report import progress
from tmem.conformance.report.progress import Loudness
from tmem.conformance.report.summary import Summary


class Clock:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(loudness: Loudness, *events: Event) -> list[str]:
    """What comes without a terminal."""
    console = Console(file=StringIO(), width=80)
    made = Summary("impl", 7, "linearizable")
    with progress.progress(console, made, loudness) as line:
        for event in events:
            made.add(event)
            line.show(event)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_without_a_terminal_it_is_a_line_per_engine() -> None:
    text = lines(Loudness.NORMAL, *EVENTS, Found(STALE), Found(STALE))
    assert text == [
        "impl: pages of 4096 bytes; offers reclaim; claims lru",
        "volume: random programs",
        f"broken: TMEM-PUT-3 {STALE.message}",
    ]


def test_quiet_says_nothing_and_verbose_says_more() -> None:
    assert lines(Loudness.QUIET, *EVENTS, Found(STALE)) == []
    text = lines(Loudness.VERBOSE, *EVENTS)
    assert "new: private ephemeral: hit (1 reached)" in text
    assert "canary drops flushes: noticed" in text
    assert "a fallback was taken" in text


def rendered(width: int, seconds: float | None = None) -> str:
    """What a terminal of this width shows after ten seconds."""
    clock, made = Clock(), Summary("impl", 7, "linearizable")
    shown = progress.Progress(Console(), made, Loudness.QUIET, seconds, clock)
    for second, event in enumerate(
        (
            TurnBegan("volume", "random programs", 0.5),
            Progress(operations=1_234_000, schedules=90, done=0.1, engine="volume"),
            Covered({"duplicate put": 2}),
            World({"pages": 70_000, "clients": 322}),
            Progress(operations=4_000, schedules=20, done=0.4, engine="volume"),
        ),
        1,
    ):
        clock.now = 2.0 * second
        made.add(event)
        shown.show(event)
    console = Console(file=StringIO(), width=width)
    console.print(shown)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_it_shows_speed_world_time_left_and_what_was_new() -> None:
    text = rendered(100)
    assert "1,238,000 operations, 667/s; 110 schedules, 3/s" in text
    assert "world: 70,000 pages, 322 clients" in text
    assert "last new behaviour 4 s ago: duplicate put" in text
    assert "volume" in text
    assert "20%" in text
    assert "about 40 s left" in text
    assert "90 s left" in rendered(100, seconds=100.0)


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_cuts_no_number(width: int) -> None:
    text = rendered(width)
    assert all(len(line) <= width for line in text.splitlines())
    words = " ".join(text.split())
    assert "1,238,000 operations" in words
    assert "about 40 s left" in words
    assert "…" not in text
