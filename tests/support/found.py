"""Findings that several tests look at, each found once in a process."""

from __future__ import annotations

from functools import cache

from tmem.conformance.events import Finding
from tmem.conformance.faults import targets
from tmem.conformance.schedules.explore import explore, open_subject


@cache
def race() -> Finding:
    """Two gets that overlap and both hit, of `double_exclusive_get`."""
    return next(explore(open_subject(targets.__name__, "double_exclusive_get"), 0, 400))
