"""Where threads may be preempted: the two seams over which targets are loaded for controlled schedules."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal

from tmem.conformance.loader import Loaded, Rewrite, Seam
from tmem.conformance.loader import load as load_over
from tmem.conformance.loader.expressions import POINT, POINTED
from tmem.conformance.loader.names import Names
from tmem.conformance.loader.points import with_points
from tmem.conformance.schedules.runtime.modules import VIRTUAL
from tmem.conformance.schedules.runtime.scheduler import control

Level = Literal["lock", "statement"]
LEVELS: Final[tuple[Level, ...]] = ("lock", "statement")
"""Switch points where locks are acquired and released; or also between statements and around calls."""


def pointed(value: object) -> object:
    """The value, after a switch point."""
    control.left -= 1
    if not control.left:
        control.reached()
    return value


_NAMES: Final[dict[str, object]] = {POINT: control.point, POINTED: pointed}
_PRIVATE: Final = frozenset({"queue", "concurrent", "sched"})  # they stand on threading
_ABSENT: Final = frozenset({"_queue"})  # queue then has its own, in Python


def seam(transform: Callable[[ast.Module], ast.Module]) -> Seam:
    """Virtual threads for code that is changed by `transform`."""
    return Seam(VIRTUAL, _NAMES, transform, _PRIVATE, _ABSENT)


def load(target: str, attribute: str, rewrite: Mapping[str, Rewrite] | None = None) -> dict[Level, Loaded]:
    """Load a target (see `tmem.conformance.loader.load`), once for each level, so that its threads can be
    scheduled."""
    names = Names()
    lock = load_over(target, attribute, seam(names.learn), rewrite)
    statement = load_over(target, attribute, seam(partial(with_points, names=names)), rewrite)
    return {"lock": lock, "statement": statement}
