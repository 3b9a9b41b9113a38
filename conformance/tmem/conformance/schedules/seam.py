"""Where threads may be preempted: the two seams over which targets are loaded for controlled schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from tmem.conformance.loader import Loaded, Rewrite, Seam
from tmem.conformance.loader import load as load_over
from tmem.conformance.loader.expressions import POINT, POINTED
from tmem.conformance.loader.points import with_points
from tmem.conformance.schedules.control import control
from tmem.conformance.schedules.modules import VIRTUAL

Level = Literal["lock", "statement"]
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

SEAMS: Final[dict[Level, Seam]] = {
    "lock": Seam(VIRTUAL, _NAMES, None, _PRIVATE, _ABSENT),
    "statement": Seam(VIRTUAL, _NAMES, with_points, _PRIVATE, _ABSENT),
}


def load(target: str, attribute: str, level: Level, rewrite: Mapping[str, Rewrite] | None = None) -> Loaded:
    """Load a target (see `tmem.conformance.loader.load`) so that its threads can be scheduled."""
    return load_over(target, attribute, SEAMS[level], rewrite)
