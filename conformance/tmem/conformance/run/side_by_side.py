"""Workers side by side: which engines share a worker, and how their events become one stream."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeVar

from tmem.conformance.events import Event
from tmem.conformance.turn import Engine

Result = TypeVar("Result")
Task = Generator[Event | None, None, Result]
"""Events, with None where it has nothing to report for now; at its end the result."""


def share_out(engines: Sequence[Engine], workers: int) -> list[tuple[Engine, ...]]:
    """The engines of each worker, so that the workers take about equal time: the largest engine goes first.

    Each engine is in one worker, in the order given, and works the same whatever runs beside it.
    """
    groups: list[list[Engine]] = [[] for _ in range(max(1, min(workers, len(engines))))]
    for engine in sorted(engines, key=lambda each: -each.share):
        min(groups, key=lambda group: sum(each.share for each in group)).append(engine)
    return [tuple(sorted(group, key=engines.index)) for group in groups]


def merged(tasks: Sequence[Task[Result]]) -> Task[list[Result]]:
    """The events of all tasks as they come; the results are in the order of the tasks.

    Closing it, or an exception of one task, closes all.
    """
    running = dict(enumerate(tasks))
    results: dict[int, Result] = {}
    try:
        while running:
            for number, task in list(running.items()):
                try:
                    while (event := next(task)) is not None:
                        yield event
                except StopIteration as stop:
                    results[number] = stop.value
                    del running[number]
            yield None
    finally:
        for task in running.values():
            task.close()
    return [results[number] for number in sorted(results)]


def waiting(task: Task[Result]) -> Generator[Event, None, Result]:
    """The events of a task alone."""
    try:
        while True:
            try:
                event = next(task)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            if event is not None:
                yield event
    finally:
        task.close()
