"""Where CrossHair looks and where it need not.

Only a few values of a contract are symbolic: where something strikes, how much, which pages. Code that
merely hands such values on can run without CrossHair looking at every instruction, many times faster;
where it did look into one, CrossHair would say so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, cast

from crosshair import tracers
from crosshair.statespace import optional_context_statespace

# CrossHair leaves these untyped.
_looking: Final = cast("Callable[[], bool]", tracers.is_tracing)
_looked: Final = cast("Callable[[], AbstractContextManager[object]]", tracers.ResumedTracing)
_unlooked: Final = cast("Callable[[], AbstractContextManager[object]]", tracers.NoTracing)


def quietly() -> AbstractContextManager[object]:
    """Within, CrossHair does not look."""
    return _unlooked() if _looking() else nullcontext()


def symbolically() -> AbstractContextManager[object]:
    """Within, CrossHair looks again, wherever it does at all."""
    if optional_context_statespace() is None or _looking():
        return nullcontext()
    return _looked()


def decided(flag: bool) -> bool:
    """The flag, not symbolic any more: from here on there is a path for each value it may have."""
    with symbolically():
        return True if flag else False  # noqa: SIM210


def among(number: int, numbers: range) -> int:
    """The number, not symbolic any more, by halving; one outside of the range counts as the end nearby."""
    with symbolically():
        while len(numbers) > 1:
            middle = len(numbers) // 2
            numbers = numbers[:middle] if number < numbers[middle] else numbers[middle:]
        return numbers[0]
