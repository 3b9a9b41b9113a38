"""What happens within an operation, at each point of it in turn.

On each path of a contract the operation runs anew for every point: once struck at its first point, once at
its second, and so on, and at last without a strike. So CrossHair has paths for the pages and the kinds of
pools only, which is some thirty times faster than a path for each point.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from itertools import count
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

from proofs.impl.copy import Points
from proofs.impl.symbolic import quietly, settled

A = TypeVar("A")
Arguments = ParamSpec("Arguments")

MOST: Final = 10_000
"""More points than any operation of a small store has: one with more does not end."""


class Moment:
    """The `number`-th point, from 0, at which something is possible; `came` says whether there was one."""

    __slots__ = ("came", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.came = False


class Interruption:
    """What somebody else does, once, at this moment; points at which it is not possible do not count."""

    def __init__(self, at: Moment, possible: Callable[[], bool], action: Callable[[], object]) -> None:
        self.done = False
        self._at = at
        self._possible = possible
        self._action = action
        self._points = count()

    def point(self) -> None:
        """A point comes by."""
        if self._possible() and next(self._points) == self._at.number:
            self.done = self._at.came = True
            Points.meanwhile = None
            self._action()


def interrupted(by: Interruption, operation: Callable[[], A]) -> A:
    """Run the operation with the other one somewhere within; return its answer."""
    Points.meanwhile = by.point
    try:
        with quietly():
            return operation()
    finally:
        Points.meanwhile = None


def at_every_point(function: Callable[Concatenate[Moment, Arguments], bool]) -> Callable[Arguments, bool]:
    """Call the function for each moment up to the first that never comes.

    Its first argument is the moment; the others are those of the result, which returns whether one of
    the calls returned True. An AssertionError says at which point it was struck.
    """

    _, *others = signature(function).parameters.values()
    names = signature(function).replace(parameters=others)
    struck = cast("Callable[..., bool]", function)  # which is called by the names of its arguments

    @wraps(function)
    def everywhere(*args: Arguments.args, **kwargs: Arguments.kwargs) -> bool:
        values = {name: settled(value) for name, value in names.bind(*args, **kwargs).arguments.items()}
        reached = False
        for at in map(Moment, range(MOST)):
            try:
                with quietly():
                    reached |= struck(at, **values)
            except AssertionError as error:
                raise AssertionError(f"{error}, struck at point {at.number}") from error
            if not at.came:
                return reached
        raise AssertionError("the operation does not end")

    everywhere.__signature__ = names  # type: ignore[attr-defined]  # `inspect.signature` reads it
    return everywhere
