"""The strategies that decide runs: following a list, depth-first search, sticky random, and PCT."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from tmem.conformance.schedules.runtime.scheduler import control
from tmem.conformance.schedules.runtime.virtual import FOREVER, Preemption, Segment, VirtualThread

Schedule = tuple[Preemption, ...]
"""A run, as its deviations from "go on until you block or end, then the lowest thread"."""


class Follow:
    """Follows a list of preemptions; one whose place or thread is not there any more is left out.

    With `onward`, segments are kept from the last preemption on only: what comes before has been searched.
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
        """To the next preemption in this operation."""
        points = self._points.get((thread.index, thread.operation))
        if points is None:
            return FOREVER
        following = bisect_right(points, thread.points)  # of a livelock there are thousands
        return points[following] - thread.points if following < len(points) else FOREVER

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The thread that the list names."""
        return self._planned(thread, others) or thread

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The thread that the list names, or the lowest."""
        return self._planned(thread, ready) or ready[0]

    def _planned(self, thread: VirtualThread, among: list[VirtualThread]) -> VirtualThread | None:
        points = self._plan.get((thread.index, thread.operation))
        to = points.get(thread.points) if points is not None else None
        if to is None:
            return None
        if self._onward and self._last == (thread.index, thread.operation, thread.points, to):
            assert control.segments is not None
            control.segments.clear()
        return next((each for each in among if each.index == to), None)


class Sticky:
    """At each point another thread, with a probability of 1 / `stay`; at a block any that is ready."""

    def __init__(self, seed: int, stay: float) -> None:
        self._random = random.Random(seed).random
        self._scale = math.log(1 - 1 / stay)

    def distance(self, thread: VirtualThread) -> int:
        """Drawn from a geometric distribution."""
        return 1 + int(math.log(1.0 - self._random()) / self._scale)

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """Any other."""
        return others[int(self._random() * len(others))]

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """Any."""
        return ready[int(self._random() * len(ready))]


class Priorities:
    """PCT: the thread of the highest priority runs; at `depth - 1` points, drawn among the first `length`
    points of the run, the priority of the running thread falls below all others.

    Finds a bug that needs `depth` ordered events with a probability of at least 1 / (threads x
    length^(depth - 1)) a run (Burckhardt and others, 2010).
    """

    def __init__(self, seed: int, depth: int, length: int) -> None:
        self._random = random.Random(seed)
        self._falls = sorted(self._random.randrange(1, max(length, 2)) for _ in range(depth - 1))
        self._priorities: dict[int, float] = {}
        self._lowest = 0.0

    def distance(self, thread: VirtualThread) -> int:
        """To the next fall; or a look at once, where someone of higher priority has come."""
        if any(self._priority(t) > self._priority(thread) for t in control.ready):
            return 1
        if not self._falls:
            return FOREVER
        return max(self._falls[0] - control.steps, 1)

    def choose(self, thread: VirtualThread, others: list[VirtualThread]) -> VirtualThread:
        """The highest priority, after the falls that are due."""
        while self._falls and self._falls[0] <= control.steps:
            del self._falls[0]
            self._lowest -= 1
            self._priorities[thread.index] = self._lowest
        return max([thread, *(t for t in others if t in control.ready)], key=self._priority)

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The highest priority."""
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
    """Every schedule that deviates once more from this one, later than it does; whether that preempts.

    A choice where a thread cannot go on anyway is free, all others cost a preemption; `free` ones only.
    """
    for thread, operation, first, last, others, forced in segments:
        if not forced and (free or not others):
            continue
        for point in range(first, last + 1):
            for to in others:
                yield (*schedule, Preemption(thread, operation, point, to)), not forced
