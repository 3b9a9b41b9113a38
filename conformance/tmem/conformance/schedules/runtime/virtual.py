"""The data of the scheduler: virtual threads, preemptions and strategies, and what an execution leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

FOREVER: Final = 1 << 60
MAIN: Final = -1
"""The index of the thread that makes the backend, starts the threads of the program and reads at the end."""


class Preemption(NamedTuple):
    """One deviation from "go on until you block or end, then the lowest thread": here `to` runs instead.

    `operation` counts the operations of the thread from 0. `point` counts the switch points in the operation
    from 1; blocking and ending count as points. So a preemption keeps its meaning when others are removed.
    """

    thread: int
    operation: int
    point: int
    to: int


class Segment(NamedTuple):
    """Points `first` to `last` of an operation, and the threads that could have run there instead."""

    thread: int
    operation: int
    first: int
    last: int
    others: tuple[int, ...]
    forced: bool


class Mark(NamedTuple):
    """An entry of a trace: what a thread did, to what, and where in the code."""

    kind: str
    thread: int
    what: object = None
    place: str = ""


class VirtualThread:
    """A thread of the program (index from 0), of the target (the next indexes), or MAIN."""

    __slots__ = (
        "background",
        "body",
        "carrier",
        "deadline",
        "done",
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
        self.carrier: Any = None
        """A greenlet or a `RealThread`."""
        self.operation = 0
        self.points = 0
        self.done = False
        self.waiting: object = None
        self.waits = ""
        """What it waits for, in words; `waiting` is the thing itself."""
        self.deadline: float | None = None
        self.timed_out = False
        self.thread: object = None
        """Its `threading.Thread`, once somebody asked for it."""
        self.local: dict[int, dict[str, object]] = {}


class Strategy(Protocol):
    """Decides an execution."""

    def distance(self, thread: VirtualThread) -> int:
        """Points that the thread may pass before `choose` is called; FOREVER for all of them."""

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The thread that goes on at a point of `thread`: itself, or one of the others (never empty)."""

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The thread that goes on after `thread` blocked or ended. `ready` is sorted, and never empty."""


class NeverPreempt:
    """Preempts no thread. After a thread blocks or ends, the lowest one goes on."""

    def distance(self, thread: VirtualThread) -> int:
        """FOREVER."""
        return FOREVER

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The thread itself."""
        return thread

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The lowest thread."""
        return ready[0]


class Stuck(BaseException):
    """An execution cannot go on. No Exception, so that the code under test does not catch it.

    `details` are further lines for people, such as a backtrace.
    """

    def __init__(self, kind: str, text: str, details: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.details = details


def order(thread: VirtualThread) -> int:
    """The key that sorts threads by index."""
    return thread.index


def after(me: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
    """The next of the others by index, going round."""
    return next((t for t in others if t.index > me.index), others[0])


def deadlock(threads: Iterable[VirtualThread], but_for: object) -> Stuck:
    """No thread can go on: what each waits for, and who holds it, without those that wait on `but_for`."""
    waiting = [each for each in threads if each.waiting not in (None, but_for) and not each.done]
    return Stuck("deadlock", "; ".join(f"{each.name} waits for {wait_of(each)}" for each in waiting))


def livelock(points: int) -> Stuck:
    """The threads go on without end, after so many switch points."""
    return Stuck("livelock", f"after {points} switch points it still goes on")


def wait_of(thread: VirtualThread) -> str:
    """What a thread waits for, and which holds it."""
    what = getattr(thread.waiting, "name", "") or thread.waits
    owner = getattr(thread.waiting, "owner", None)
    if not isinstance(owner, VirtualThread):
        return what
    return f"{what}, held by {'itself' if owner is thread else owner.name}"
