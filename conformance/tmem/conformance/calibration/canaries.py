"""Which faults can serve as canaries: those that are noticed around whatever conforms."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tmem.conformance.coverage import Coverage, applicable
from tmem.conformance.engine import Turn
from tmem.conformance.engines.canaries import SHORT, fitting, seeded
from tmem.conformance.faults import FAULTS

LAID: Final = 6
"""Faults that are laid around each backend."""
CANDIDATES: Final = tuple(
    name for name, each in FAULTS.items() if each.kind not in ("races", "liveness", "claims")
)
"""Faults that single operations in turn can show."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Faults around one backend that conforms: operations until they were noticed, and what was not."""

    noticed: dict[str, int]
    unnoticed: tuple[str, ...]


def lay(turn: Turn, coverage: Coverage) -> Laid:
    """Lay faults that fit around a backend of which the coverage was seen; none where it hides them."""
    if not all(coverage.points[point] for point in applicable(turn.missing)):
        return Laid({}, ())
    fit = fitting(CANDIDATES, turn.missing, coverage)
    chosen = random.Random(f"lay {turn.seed}").sample(fit, min(LAID, len(fit)))
    canaries = [seeded(turn, FAULTS[name], SHORT) for name in chosen]
    return Laid(
        {each.fault: each.operations for each in canaries if each.caught},
        tuple(each.fault for each in canaries if not each.caught),
    )


def worst(table: Mapping[str, Mapping[str, object]], laid: Iterable[Laid]) -> dict[str, int]:
    """Operations until each fault was noticed at the worst, of those that were noticed always.

    `table` is that of the kills; `laid` tells of other backends, which may hide what a fault does.
    """
    found: dict[str, int] = {}
    for name in CANDIDATES:
        row = table.get(name)
        if row and row["killed"] == row["seeds"] and isinstance(row["operations"], list):
            found[name] = int(row["operations"][1])
    for each in laid:
        for name in each.unnoticed:
            found.pop(name, None)
    for each in laid:
        found |= {name: max(done, found[name]) for name, done in each.noticed.items() if name in found}
    return found
