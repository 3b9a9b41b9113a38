"""Folds a long sequence of calls into loops, so that a script says `for n in range(300)` as a person does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 12
"""Calls in the body of a loop at the most."""
LEAST: Final = 4
"""Calls that a loop must save."""


@dataclass(frozen=True, slots=True)
class Item:
    """A call: its shape, in which numbers are left out, and the numbers."""

    shape: Hashable
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`times` repetitions of a body of calls; `items` has all of them. Once is no loop."""

    items: tuple[Item, ...]
    times: int

    @property
    def body(self) -> int:
        """The number of calls in the body."""
        return len(self.items) // self.times


def fold(items: Sequence[Item]) -> list[Loop]:
    """The items as loops, in order.

    >>> calls = [Item("put", (n,)) for n in range(5)] + [Item("get", (0,))]
    >>> [(loop.times, loop.body) for loop in fold(calls)]
    [(5, 1), (1, 1)]
    """
    loops: list[Loop] = []
    shapes = [item.shape for item in items]
    at = 0
    while at < len(items):
        body, times = max(
            ((body, _times(shapes, at, body)) for body in range(1, LONGEST + 1)),
            key=lambda found: (found[0] * (found[1] - 1), -found[0]),
        )
        if body * (times - 1) < LEAST:
            body = times = 1
        loops.append(Loop(tuple(items[at : at + body * times]), times))
        at += body * times
    return loops


def _times(shapes: Sequence[Hashable], at: int, body: int) -> int:
    end = at + body
    while end < len(shapes) and shapes[end] == shapes[end - body]:
        end += 1
    return max((end - at) // body, 1)


def column(numbers: Sequence[int]) -> tuple[int, int] | None:
    """The first number and the step of an arithmetic sequence; None for any other.

    >>> column([7, 7, 7]), column([7, 9, 11]), column([7, 9, 7])
    ((7, 0), (7, 2), None)
    """
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 0
    straight = all(number == numbers[0] + n * step for n, number in enumerate(numbers))
    return (numbers[0], step) if straight else None
