"""What the scheduler deals in: virtual threads, preemptions, strategies, and what a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

FOREVER: Final = 1 << 60
MAIN: Final = -1
"""The index of the thread that makes the backend, starts the program's threads and reads at the end."""


class Preemption(NamedTuple):
    """One deviation from "go on until you block or end, then the lowest thread": here `to` ran instead.

    `operation` counts the thread's operations from 0, `point` the switch points within it from 1 (where
    a thread blocks or ends counts as one), so that a preemption keeps its meaning while others go.
    """

    thread: int
    operation: int
    point: int
    to: int


class Segment(NamedTuple):
    """Points `first` to `last` of one operation, and the threads that could have run there instead."""

    thread: int
    operation: int
    first: int
    last: int
    others: tuple[int, ...]
    forced: bool


class Mark(NamedTuple):
    """Something that a traced run tells: what a thread did, to what, and where in the code."""

    kind: str
    thread: int
    what: object = None
    place: str = ""


class VirtualThread:
    """A thread of the program (index from 0), of the target (after those), or MAIN."""

    __slots__ = (
        "background",
        "body",
        "deadline",
        "done",
        "greenlet",
        "index",
        "local",
        "name",
        "operation",
        "points",
        "thread",
        "timed_out",
        "waiting",
        "waits",
    )

    def __init__(self, index: int, name: str, body: Callable[[], None] | None, background: bool) -> None:
        self.index = index
        self.name = name
        self.body = body
        self.background = background
        self.greenlet: Any = None
        self.operation = 0
        self.points = 0
        self.done = False
        self.waiting: object = None
        self.waits = ""
        """For what it waits, in words; `waiting` is the thing itself."""
        self.deadline: float | None = None
        self.timed_out = False
        self.thread: object = None
        """The `threading.Thread` that stands for it, once somebody asked."""
        self.local: dict[int, dict[str, object]] = {}


class Strategy(Protocol):
    """What decides a run."""

    def distance(self, thread: VirtualThread) -> int:
        """How many points the thread may pass before `choose` is asked; FOREVER for all of them."""

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """Who goes on at a point of `thread`: itself, or one of the others (never empty)."""

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """Who goes on where `thread` blocked or ended; `ready` is ordered and never empty."""


class Calm:
    """Preempts nobody; the lowest thread goes on."""

    def distance(self, thread: VirtualThread) -> int:
        """All of them."""
        return FOREVER

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """Itself."""
        return thread

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The lowest."""
        return ready[0]


class Stuck(BaseException):
    """A run that cannot go on; not an Exception, so that the code under test lets it pass."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
