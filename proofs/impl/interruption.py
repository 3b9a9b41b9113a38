"""What happens within an operation: at which point of it, says an argument of the contract."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final, TypeVar

from proofs.impl.copy import Points
from proofs.impl.symbolic import decided, quietly, symbolically

A = TypeVar("A")

SOON: Final = 8
"""How many points are asked for at once."""


class Interruption:
    """What somebody else does, once: at the `at`-th point where it is possible; never, if there are fewer.

    Of `at` is asked only what has to be known to go on: whether it is among the next few points, and if
    so in which half of them, and so on. A number below 0 counts as 0.
    """

    def __init__(self, at: int, possible: Callable[[], bool], action: Callable[[], object]) -> None:
        self.done = False
        self._at = at
        self._possible = possible
        self._action = action
        self._points = count()
        self._among = range(0)
        """The next points of which something is known: it is among them where it is `_soon`, else behind."""
        self._soon = False

    def point(self) -> None:
        """A point comes by."""
        if self._possible() and self._is_at(next(self._points)):
            self.done = True
            Points.meanwhile = None
            self._action()

    def _is_at(self, point: int) -> bool:
        if point == self._among.stop:
            self._among = range(point, point + SOON)
            self._soon = self._is_before(point + SOON)
        while self._soon and point == self._among.start and len(self._among) > 1:
            middle = point + len(self._among) // 2
            self._among = range(point, middle) if self._is_before(middle) else range(middle, self._among.stop)
        return self._soon and point == self._among.start

    def _is_before(self, point: int) -> bool:
        with symbolically():
            return decided(self._at < point)


def interrupted(by: Interruption, operation: Callable[[], A]) -> A:
    """Run the operation with the other one somewhere within; return its answer."""
    Points.meanwhile = by.point
    try:
        with quietly():
            return operation()
    finally:
        Points.meanwhile = None
