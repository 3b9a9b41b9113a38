"""The strategies: a list of preemptions (and its depth-first children), sticky random, and PCT."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import FOREVER, Preemption, Segment, VirtualThread

Schedule = tuple[Preemption, ...]
"""The deviations of an execution from "go on until you block or end, then the lowest thread"."""


class Follow:
    """Follows a list of preemptions. A preemption whose place or thread does not exist is passed over.

    With `onward`, only the segments after the last preemption are kept: those before have been searched.
    """

    def __init__(self, schedule: Iterable[Preemption], onward: bool = False) -> None:
        self._plan: dict[tuple[int, int], dict[int, int]] = {}
        self._last: Preemption | None = None
        for each in schedule:
            self._plan.setdefault((each.thread, each.operation), {})[each.point] = each.to
            self._last = each
        self._points = {place: sorted(points) for place, points in self._plan.items()}
        self._onward = onward

    def distance(self, thread: VirtualThread) -> int:
        """The points to the next preemption in this operation."""
        points = self._points.get((thread.index, thread.operation))
        if points is None:
            return FOREVER
        following = bisect_right(points, thread.points)  # a livelock has thousands
        return points[following] - thread.points if following < len(points) else FOREVER

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The thread that the list names, or the thread itself."""
        return self._planned(thread, others) or thread

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The thread that the list names, or the lowest thread."""
        return self._planned(thread, ready) or ready[0]

    def _planned(self, thread: VirtualThread, among: list[VirtualThread]) -> VirtualThread | None:
        points = self._plan.get((thread.index, thread.operation))
        to = points.get(thread.points) if points is not None else None
        if to is None:
            return None
        if self._onward and self._last == (thread.index, thread.operation, thread.points, to):
            assert scheduler.segments is not None
            scheduler.segments.clear()
        return next((each for each in among if each.index == to), None)


class Sticky:
    """Switches at each point with a probability of 1 / `stay`. After a block any ready thread goes on."""

    def __init__(self, seed: int, stay: float) -> None:
        self._random = random.Random(seed).random
        self._scale = math.log(1 - 1 / stay)

    def distance(self, thread: VirtualThread) -> int:
        """A number drawn from a geometric distribution."""
        return 1 + int(math.log(1.0 - self._random()) / self._scale)

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """Any other thread."""
        return others[int(self._random() * len(others))]

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """Any ready thread."""
        return ready[int(self._random() * len(ready))]


class Priorities:
    """PCT: the thread with the highest priority runs. At `depth - 1` points, drawn among the first `length`
    points of the execution, the priority of the running thread falls below all others.

    An execution finds a bug that needs `depth` ordered events with a probability of at least 1 / (threads x
    length^(depth - 1)) (Burckhardt and others, 2010).
    """

    def __init__(self, seed: int, depth: int, length: int) -> None:
        self._random = random.Random(seed)
        self._falls = sorted(self._random.randrange(1, max(length, 2)) for _ in range(depth - 1))
        self._priorities: dict[int, float] = {}
        self._lowest = 0.0

    def distance(self, thread: VirtualThread) -> int:
        """The points to the next fall; 1 if a thread of higher priority is ready."""
        if any(self._priority(t) > self._priority(thread) for t in scheduler.queue.ready):
            return 1
        if not self._falls:
            return FOREVER
        return max(self._falls[0] - scheduler.steps, 1)

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The thread with the highest priority, after the falls that are due."""
        while self._falls and self._falls[0] <= scheduler.steps:
            del self._falls[0]
            self._lowest -= 1
            self._priorities[thread.index] = self._lowest
        return max([thread, *(t for t in others if t in scheduler.queue.ready)], key=self._priority)

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The thread with the highest priority."""
        return max(ready, key=self._priority)

    def _priority(self, thread: VirtualThread) -> float:
        priority = self._priorities.get(thread.index)
        if priority is None:
            priority = self._priorities[thread.index] = self._random.random()
        return priority


ROOT: Final[Schedule] = ()


def children(
    schedule: Schedule, segments: Iterable[Segment], free: bool = False
) -> Iterator[tuple[Schedule, bool]]:
    """Every schedule with one further, later deviation, and whether that deviation is a preemption.

    Where a thread blocks or ends, a choice is free; elsewhere it costs a preemption. With `free`, only free
    choices are made.
    """
    for thread, operation, first, last, others, forced in segments:
        if not forced and (free or not others):
            continue
        for point in range(first, last + 1):
            for to in others:
                yield (*schedule, Preemption(thread, operation, point, to)), not forced
