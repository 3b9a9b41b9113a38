"""Determines which code CrossHair traces, and which runs without it.

Only a few values of a contract are symbolic: where a strike happens, how much it takes, and the pages. Code
that only passes such values on can run untraced, which is many times faster. If it used such a value,
CrossHair would raise an error.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, cast

from crosshair import tracers
from crosshair.statespace import optional_context_statespace

from tmem.spec.slot import Kind

# CrossHair leaves these untyped.
_looking: Final = cast("Callable[[], bool]", tracers.is_tracing)
_looked: Final = cast("Callable[[], AbstractContextManager[object]]", tracers.ResumedTracing)
_unlooked: Final = cast("Callable[[], AbstractContextManager[object]]", tracers.NoTracing)


def quietly() -> AbstractContextManager[object]:
    """A block that CrossHair does not trace."""
    return _unlooked() if _looking() else nullcontext()


def symbolically() -> AbstractContextManager[object]:
    """A block that CrossHair traces again, if it is at work at all."""
    if optional_context_statespace() is None or _looking():
        return nullcontext()
    return _looked()


def decided(flag: bool) -> bool:
    """Return the flag as a plain bool: CrossHair continues on one path for each possible value."""
    with quietly():
        known = type(flag) is bool
    if known:
        return flag
    with symbolically():
        return True if flag else False  # noqa: SIM210


def settled(value: Any) -> Any:  # of any type, which stays the same
    """Return the value with all its flags as plain bools, also those of a kind of pool or in a tuple."""
    if isinstance(value, bool):
        return decided(value)
    if isinstance(value, Kind):
        return Kind(decided(value.persistent), decided(value.shared))
    if isinstance(value, tuple):
        return type(value)(*map(settled, value))
    return value


def among(number: int, numbers: range) -> int:
    """Return the number as a plain int, found by bisection; outside of the range, its nearer end."""
    with symbolically():
        while len(numbers) > 1:
            middle = len(numbers) // 2
            numbers = numbers[:middle] if number < numbers[middle] else numbers[middle:]
        return numbers[0]
