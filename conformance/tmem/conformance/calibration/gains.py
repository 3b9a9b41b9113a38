"""What each heuristic gains: faults noticed within a few operations with it, and without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp, inf, log
from typing import Final, NamedTuple

from tmem.conformance.calibration import ways
from tmem.conformance.calibration.ways import LIMIT, Way
from tmem.conformance.faults import FAULTS
from tmem.conformance.programs.program import USED
from tmem.conformance.schedules.portfolio import drawn, mixed

WITHIN: Final = (1_000, LIMIT, inf)
"""Operations within which faults are to be noticed; the last stands for the whole run."""

IN_VOLUME: Final[dict[str, Way]] = {
    "as in runs": partial(ways.in_volume, using=USED),
    "plain handles": partial(ways.in_volume, using=replace(USED, awkward=False), most=LIMIT),
    "nine slots": partial(ways.in_volume, using=replace(USED, few=False)),
    "some operations": ways.swarming,
    "no page twice": partial(ways.in_volume, using=replace(USED, repeats=False)),
    "no budget": partial(ways.in_volume, using=USED, variant=0),
    "biased": ways.biased,
}
"""Ways of looking for faults that show one operation at a time."""
OVERLAPPING: Final[dict[str, Way]] = {
    "schedules": partial(ways.scheduled, chooser=mixed),
    "drawn programs": partial(ways.scheduled, chooser=drawn),
    "pairs": partial(ways.scheduled, chooser=ways.only_pairs),
    "threads": ways.by_threads,
}
"""Ways of looking for races."""
WAYS: Final = {**IN_VOLUME, **OVERLAPPING}
RACES: Final = 5
"""Seeds on which races are looked for at the most: they take longer."""
GIVE_UP: Final = {"plain handles", "some operations", "biased", *OVERLAPPING}
"""Ways that end after LIMIT operations, not with the run: they take longer."""


class Heuristic(NamedTuple):
    """A heuristic, and the ways of looking with it and without it. `used`: runs use it."""

    name: str
    sentence: str
    on: str
    off: str
    used: bool = True


HEURISTICS: Final = (
    Heuristic(
        "awkward handles", "Handles that stores confuse, not 0, 1 and 2.", "as in runs", "plain handles"
    ),
    Heuristic(
        "small capacity",
        "Two stores of four have room for a few pages only. Faults laid around a store show without; what a "
        "full store itself does wrong shows with it alone (`tests/impl/test_full_stores.py`).",
        "as in runs",
        "no budget",
    ),
    Heuristic("few slots", "Most programs use one to six slots, not nine.", "as in runs", "nine slots"),
    Heuristic(
        "swarm", "Each program leaves some operations out.", "some operations", "as in runs", used=False
    ),
    Heuristic(
        "pages again", "One program of sixteen puts two pages again and again.", "as in runs", "no page twice"
    ),
    Heuristic(
        "bias to unmet coverpoints",
        "Of four programs, all run on the adversary first, the one that reaches what was reached least.",
        "biased",
        "as in runs",
        used=False,
    ),
    Heuristic(
        "pairs",
        "Three programs of four are two operations against each other. Some races in the store are found on "
        "every seed with them alone (races.md).",
        "schedules",
        "drawn programs",
    ),
    Heuristic(
        "drawn programs",
        "One program of four is drawn at random, of up to four threads.",
        "schedules",
        "pairs",
    ),
    Heuristic(
        "schedules",
        "Threads are switched where we choose, not where the system does.",
        "schedules",
        "threads",
    ),
)


@dataclass(frozen=True, slots=True)
class Noticed:
    """After how many operations one way noticed a fault under one seed; None: it did not."""

    way: str
    fault: str
    seed: int
    operations: int | None


def look(target: str, way: str, fault: str, seed: int) -> Noticed:
    """Look for a fault in one way."""
    return Noticed(way, fault, seed, WAYS[way](target, fault, seed))


def sought(way: str) -> list[str]:
    """The faults that a way is to notice."""
    if way in OVERLAPPING:
        return [name for name, fault in FAULTS.items() if fault.kind == "races"]
    return [name for name, fault in FAULTS.items() if fault.kind not in ("races", "liveness", "claims")]


Run = tuple[str, int]
"""A fault and a seed."""
Found = Mapping[Run, int | None]
"""The operations until it was noticed, or None."""


def gains(noticed: Iterable[Noticed]) -> list[dict[str, object]]:
    """For each heuristic: how many runs of faults were kills with it and without, and how much sooner."""
    by_way: dict[str, dict[Run, int | None]] = {}
    for each in noticed:
        by_way.setdefault(each.way, {})[each.fault, each.seed] = each.operations
    return [
        _row(heuristic, by_way[heuristic.on], by_way[heuristic.off])
        for heuristic in HEURISTICS
        if heuristic.on in by_way and heuristic.off in by_way
    ]


def _row(heuristic: Heuristic, on: Found, off: Found) -> dict[str, object]:
    runs = [run for run in on if run in off]
    within = WITHIN[:-1] if GIVE_UP & {heuristic.on, heuristic.off} else WITHIN
    return {
        "heuristic": heuristic.name,
        "sentence": heuristic.sentence,
        "used": heuristic.used,
        "runs": len(runs),
        "with": [len(_killed(on, runs, limit)) for limit in within],
        "without": [len(_killed(off, runs, limit)) for limit in within],
        "won": [_won(on, off, runs, limit) for limit in within],
        "sooner": round(_sooner(on, off, runs), 2),
        "only": sorted(
            _always(on, runs, within[-1]) - {fault for fault, _ in _killed(off, runs, within[-1])}
        ),
    }


def _killed(found: Found, runs: Iterable[Run], limit: float) -> list[Run]:
    return [run for run in runs if (operations := found[run]) is not None and operations <= limit]


def _won(on: Found, off: Found, runs: Iterable[Run], limit: float) -> list[int]:
    # The kills that it wins on the worst seed, and on the best.
    won = Counter({seed: 0 for _, seed in runs})
    won.update(seed for _, seed in _killed(on, runs, limit))
    won.subtract(seed for _, seed in _killed(off, runs, limit))
    return [min(won.values()), max(won.values())]


def _sooner(on: Found, off: Found, runs: Sequence[Run]) -> float:
    ratios = [log(min(off[run] or LIMIT, LIMIT) / min(on[run] or LIMIT, LIMIT)) for run in runs]
    return exp(sum(ratios) / len(ratios))


def _always(found: Found, runs: Sequence[Run], limit: float) -> set[str]:
    survived = set(runs) - set(_killed(found, runs, limit))
    return {fault for fault, _ in runs} - {fault for fault, _ in survived}
