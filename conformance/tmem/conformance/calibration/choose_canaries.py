"""Finds the faults that can serve as canaries: those that are noticed on every conforming backend."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tmem.conformance.coverage import Coverage, applicable
from tmem.conformance.engines.canaries import SHORT, fitting, seeded
from tmem.conformance.faults import FAULTS
from tmem.conformance.turn import Turn

FAULTS_EACH: Final = 6
"""Faults that are tried on each backend."""
CANDIDATES: Final = tuple(
    name for name, each in FAULTS.items() if each.kind not in ("races", "liveness", "claims", "large")
)
"""Faults that show when operations do not overlap."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Faults that wrapped one backend: operations until each was noticed, and the unnoticed ones."""

    noticed: dict[str, int]
    unnoticed: tuple[str, ...]


def try_faults(turn: Turn, coverage: Coverage) -> Wrapped:
    """Try faults that the backend can show by its coverage; none if a required coverpoint is missing."""
    if not all(coverage.points[point] for point in applicable(turn.missing)):
        return Wrapped({}, ())
    fit = fitting(CANDIDATES, turn.missing, coverage)
    chosen = random.Random(f"lay {turn.seed}").sample(fit, min(FAULTS_EACH, len(fit)))
    canaries = [seeded(turn, FAULTS[name], SHORT) for name in chosen]
    return Wrapped(
        {each.fault: each.operations for each in canaries if each.caught},
        tuple(each.fault for each in canaries if not each.caught),
    )


def worst(table: Mapping[str, Mapping[str, object]], tried: Iterable[Wrapped]) -> dict[str, int]:
    """Return the most operations until each fault was noticed, for the faults that were always noticed.

    `table` is the kill table; `tried` holds the results on other backends, which may hide a fault.
    """
    found: dict[str, int] = {}
    for name in CANDIDATES:
        row = table.get(name)
        if row and row["killed"] == row["seeds"] and isinstance(row["operations"], list):
            found[name] = int(row["operations"][1])
    for each in tried:
        for name in each.unnoticed:
            found.pop(name, None)
    for each in tried:
        found |= {name: max(done, found[name]) for name, done in each.noticed.items() if name in found}
    return found
