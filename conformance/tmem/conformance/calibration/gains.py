"""What each heuristic gains: the faults noticed within some operations with it and without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp, inf, log
from typing import Final, NamedTuple

from tmem.conformance.calibration import methods
from tmem.conformance.calibration.methods import LIMIT, Method
from tmem.conformance.faults import FAULTS
from tmem.conformance.programs.program import USED
from tmem.conformance.schedules.portfolio import drawn, mixed

WITHIN: Final = (1_000, LIMIT, inf)
"""Operations within which kills are counted; the last stands for the whole run."""

IN_VOLUME: Final[dict[str, Method]] = {
    "as in runs": partial(methods.in_volume, using=USED),
    "plain handles": partial(methods.in_volume, using=replace(USED, awkward=False), most=LIMIT),
    "nine slots": partial(methods.in_volume, using=replace(USED, few=False)),
    "some operations": methods.swarming,
    "no page twice": partial(methods.in_volume, using=replace(USED, repeats=False)),
    "no budget": partial(methods.in_volume, using=USED, variant=0),
    "biased": methods.biased,
}
"""Methods for faults that show when operations do not overlap."""
OVERLAPPING: Final[dict[str, Method]] = {
    "schedules": partial(methods.scheduled, chooser=mixed),
    "drawn programs": partial(methods.scheduled, chooser=drawn),
    "pairs": partial(methods.scheduled, chooser=methods.only_pairs),
    "threads": methods.by_threads,
}
"""Methods for races."""
METHODS: Final = {**IN_VOLUME, **OVERLAPPING}
RACES: Final = 5
"""Most seeds for races, which take longer."""
GIVE_UP: Final = {"plain handles", "some operations", "biased", *OVERLAPPING}
"""Methods that take longer and so end after LIMIT operations instead of with the run."""


class Heuristic(NamedTuple):
    """A heuristic, and the methods with it and without it; `used` says whether runs use it."""

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
        "Two stores of four have room for a few pages only. Faults that wrap a store show without it; bugs "
        "of a full store itself show only with it (`tests/impl/test_full_stores.py`).",
        "as in runs",
        "no budget",
    ),
    Heuristic("few slots", "Most programs use one to six slots, not nine.", "as in runs", "nine slots"),
    Heuristic(
        "swarm", "Each program leaves some operations out.", "some operations", "as in runs", used=False
    ),
    Heuristic(
        "pages again",
        "One program of sixteen puts the same two pages again and again.",
        "as in runs",
        "no page twice",
    ),
    Heuristic(
        "bias to unmet coverpoints",
        "Four programs are run on the adversary; the one that reaches the rarest coverpoints is used.",
        "biased",
        "as in runs",
        used=False,
    ),
    Heuristic(
        "pairs",
        "Three programs of four are two overlapping operations. Some races in the store are found on every "
        "seed only with them (races.md).",
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
    """The operations until one method noticed a fault under one seed; None if it did not."""

    method: str
    fault: str
    seed: int
    operations: int | None


def look(target: str, method: str, fault: str, seed: int) -> Noticed:
    """Look for a fault by one method."""
    return Noticed(method, fault, seed, METHODS[method](target, fault, seed))


def sought(method: str) -> list[str]:
    """Return the faults that a method should notice."""
    if method in OVERLAPPING:
        return [name for name, fault in FAULTS.items() if fault.kind == "races"]
    return [
        name for name, fault in FAULTS.items() if fault.kind not in ("races", "liveness", "claims", "large")
    ]


Run = tuple[str, int]
"""A fault and a seed."""
Found = Mapping[Run, int | None]
"""The operations until each was noticed, or None."""


def gains(noticed: Iterable[Noticed]) -> list[dict[str, object]]:
    """Return for each heuristic the kills with it and without it, and how much sooner they came."""
    by_method: dict[str, dict[Run, int | None]] = {}
    for each in noticed:
        by_method.setdefault(each.method, {})[each.fault, each.seed] = each.operations
    return [
        _row(heuristic, by_method[heuristic.on], by_method[heuristic.off])
        for heuristic in HEURISTICS
        if heuristic.on in by_method and heuristic.off in by_method
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
    # The kills gained on the worst seed, and on the best.
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
