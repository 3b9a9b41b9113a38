"""What an engine is given for a turn, and what an engine is.

A turn has the target, a seed, a deadline, and where events go. An engine has a name, runs for a turn, and
replays what it found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tmem.conformance.events import Event
from tmem.spec.backend import Backend

LINEARIZABLE: Final = "linearizable"
"""The level at which a backend is checked by default; the other is `integrity`."""


class Ring(Protocol):
    """Memory shared with the supervisor that says what was under way, should the target hang or crash."""

    def begin(self, engine: str, program: bytes) -> None:
        """A program starts: the engine can recover its steps from these bytes."""

    def step(self, number: int) -> None:
        """The step that starts now, counted from 0; the supervisor takes it for a heartbeat."""

    def rest(self) -> None:
        """No call of the target is under way until the next step or program begins: the engine works."""


class Silent:
    """A ring that nobody watches."""

    def begin(self, engine: str, program: bytes) -> None:
        """Nothing."""

    def step(self, number: int) -> None:
        """Nothing."""

    def rest(self) -> None:
        """Nothing."""


def ignore(event: Event) -> None:
    """An `emit` for those who look at return values only."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the Python code of a target is: what a loader needs to load it in its own way.

    `place` is a module or the path of a file, `attribute` the factory in it; `variants` are the
    arguments that it is called with, in turn.
    """

    place: str
    attribute: str
    variants: tuple[tuple[object, ...], ...] = ((),)


@dataclass(frozen=True, slots=True)
class LibrarySource:
    """Where a target in a shared library is. Its stores are opened with the budgets, in bytes, in turn."""

    path: Path
    budgets: tuple[int | None, ...] = (None,)


@dataclass(slots=True)
class Turn:
    """One slice of time of one engine, with the target that it looks at.

    `fresh` makes a new backend, by a number that picks among what the target can be (budgets): equal
    numbers, equal backends. Each program gets its own and closes it. `scale` multiplies the counted
    work (1.0 is the default run); `deadline` is in `time.monotonic` seconds. `source` is None for a target
    whose threads cannot be scheduled; `missing` names what the target does not offer (see
    `events.NotOffered`). `done` is how much of the counted work an earlier turn of the engine has done, 0 to
    1: the engine goes on there.
    """

    target: str
    fresh: Callable[[int], Backend]
    seed: int
    emit: Callable[[Event], None] = ignore
    ring: Ring = field(default_factory=Silent)
    deadline: float | None = None
    scale: float = 1.0
    level: str = LINEARIZABLE
    page_size: int = 4096
    source: Source | LibrarySource | None = None
    missing: frozenset[str] = frozenset()
    done: float = 0.0
    real_threads: bool = False
    """Whether schedules run on real threads, whatever the target uses."""
    own: tuple[str, ...] = ()
    """Installed packages in which schedules switch, as in the target's own code."""

    def left(self) -> float | None:
        """Return the seconds until the deadline, or None if there is no deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def over(self) -> bool:
        """Whether the time has run out."""
        return self.deadline is not None and time.monotonic() >= self.deadline


class Engine(Protocol):
    """One way to look for violations."""

    name: str
    detail: str
    share: float
    """About what part of the default run it takes, 0 to 1: its part of a budget that is short."""

    def run(self, turn: Turn) -> None:
        """Work from `turn.done` to the end of its count or the deadline, emitting what it does and finds."""

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to `Ring.begin`, a line each."""

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """Return the replay data of a program given to `Ring.begin`, after its worker died."""

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Run a Finding's replay data again, emitting Found where it still fails."""
