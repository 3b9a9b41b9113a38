"""Where a hang is detected: the time that a worker's threads had since its last sign of life.

Time counts while every thread sleeps, and while threads compute. Time in which a thread waits for a processor
or a disk, or is stopped, counts for nobody: then the machine is slow, not the target. Without `/proc` all
time counts. What is under way, and the stacks of the threads, say who hangs: the target or the suite.
"""

from __future__ import annotations

import re
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tmem.conformance.run.heartbeat import Doing

HANG_AFTER: Final = 5.0
"""Seconds after which an operation, or the import of the target, counts as hung."""
PATIENCE: Final = 12
"""How many times as long the factory may take."""
ENGINE_PATIENCE: Final = 60.0
"""Seconds that an engine may work between two operations, at the least."""
TICK: Final = 0.1
"""Seconds between two looks at the worker."""

OURS: Final = str(Path(__file__).parents[1])
_BACKENDS: Final = tuple(f"{OURS}/{name}/" for name in ("conforming", "faults", "remote"))
"""Packages of the suite whose code is that of backends."""
_CALLERS: Final = ("/perform.py", "/thread_load.py", "/executor.py")
"""Ends of the names of the suite's files that call the target: a target written in C has no frame."""
_NEUTRAL: Final = tuple(
    str(Path(sysconfig.get_path(name)) / part)
    for name, part in (("stdlib", ""), ("purelib", "hypothesis"), ("platlib", "greenlet"))
)
_THREAD: Final = re.compile(r"^(?:Current thread|Thread) 0x", re.MULTILINE)
_FRAME: Final = re.compile(r'^  File "([^"]+)", line \d+', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """The threads of processes and of their children at one time.

    `states` are the letters of proc(5); `computed` and `waited` are the nanoseconds that each thread, by its
    id, has computed and has waited for a processor.
    """

    at: float
    states: frozenset[str] = frozenset()
    computed: dict[int, int] | None = None
    waited: dict[int, int] | None = None


def look(*pids: int) -> Look:
    """Look at processes now. Threads that end meanwhile are left out."""
    states: set[str] = set()
    computed: dict[int, int] = {}
    waited: dict[int, int] = {}
    for task in (task for pid in pids for task in _tasks(pid)):
        try:
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            run, wait, _ = map(int, (task / "schedstat").read_text().split())
        except (OSError, ValueError, IndexError):
            continue
        states.add(state)
        computed[int(task.name)], waited[int(task.name)] = run, wait
    return Look(time.monotonic(), frozenset(states), computed or None, waited or None)


def _tasks(pid: int) -> Iterator[Path]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for task in tasks:
        yield task
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _tasks(int(child))


def counted(before: Look, after: Look) -> float:
    """The seconds between two looks that count against the target.

    >>> asleep = Look(0.0, frozenset("S"), {1: 0}, {1: 0})
    >>> counted(asleep, Look(0.1, frozenset("S"), {1: 0}, {1: 0}))
    0.1
    >>> counted(asleep, Look(0.1, frozenset("R"), {1: 20_000_000}, {1: 0}))
    0.02
    >>> counted(asleep, Look(0.1, frozenset("T"), {1: 0}, {1: 0}))
    0.0
    """
    passed = min(after.at - before.at, 2 * TICK)  # more is time in which the supervisor itself was held up
    if before.computed is None or after.computed is None:
        return passed
    if (before.states | after.states) & set("DTt"):
        return 0.0
    if "R" in before.states | after.states:
        return min(passed, _grown(before.computed, after.computed))
    return max(0.0, passed - _grown(before.waited or {}, after.waited or {}))


def _grown(before: dict[int, int], after: dict[int, int]) -> float:
    return sum(value - before.get(thread, 0) for thread, value in after.items()) / 1e9


class Watch:
    """Adds up the time since the last sign of life of a worker, which may wait for the target's `server`."""

    def __init__(self, pid: int, hang_after: float, server: int | None = None) -> None:
        self._pids = (pid,) if server is None else (pid, server)
        self._hang_after = hang_after
        self._beats: tuple[int, ...] = ()
        self._last: Look | None = None
        self._quiet = 0.0

    def quiet(self, beats: tuple[int, ...], reported: bool) -> float:
        """The seconds that count since the beats last changed, or the worker last `reported` something."""
        if reported or beats != self._beats:
            self._beats, self._last, self._quiet = beats, None, 0.0
            return 0.0
        now = look(*self._pids)
        if self._last is not None:
            self._quiet += counted(self._last, now)
        self._last = now
        return self._quiet

    def limit(self, doing: Doing) -> float:
        """The seconds after which the worker hangs, by what it does."""
        match doing:
            case Doing.CALLING | Doing.LOADING:
                return self._hang_after
            case Doing.MAKING:
                return self._hang_after * PATIENCE
            case Doing.RESTING:
                return max(self._hang_after * PATIENCE, ENGINE_PATIENCE)


def in_target(stacks: str) -> bool:
    """Whether a thread, by stacks as faulthandler writes them, is in a call of the target by the suite.

    True where there are no stacks: then nothing says that the suite is at work.
    """
    threads = [_FRAME.findall(part) for part in _THREAD.split(stacks)[1:]]
    return not any(threads) or any(map(_calls_target, threads))


def _calls_target(files: list[str]) -> bool:
    suite = [file for file in files if file.startswith(OURS) and not file.startswith(_BACKENDS)]
    if not suite:
        return False  # a thread of the target's own, which may sleep for ever
    theirs = [file for file in files if file not in suite and not file.startswith(("<frozen", *_NEUTRAL))]
    return bool(theirs) or files[0].endswith(_CALLERS)
