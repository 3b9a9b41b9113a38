"""What each heuristic gains: faults noticed within a few operations with it, and without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import exp, log
from typing import Final, NamedTuple

from tmem.conformance.calibration import ways
from tmem.conformance.calibration.ways import LIMIT, Way
from tmem.conformance.faults import FAULTS
from tmem.conformance.programs import USED
from tmem.conformance.schedules.portfolio import drawn, mixed

WITHIN: Final = (1_000, LIMIT)
"""Operations within which faults are to be noticed."""
SEEDS: Final = 5

IN_VOLUME: Final[dict[str, Way]] = {
    "as in runs": partial(ways.in_volume, using=USED),
    "plain handles": partial(ways.in_volume, using=replace(USED, awkward=False)),
    "nine slots": partial(ways.in_volume, using=replace(USED, few=False)),
    "all operations": partial(ways.in_volume, using=replace(USED, swarm=False)),
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
        "small capacity", "Two stores of four have room for a few pages only.", "as in runs", "no budget"
    ),
    Heuristic("few slots", "Most programs use one to six slots, not nine.", "as in runs", "nine slots"),
    Heuristic("swarm", "Each program leaves some operations out.", "as in runs", "all operations"),
    Heuristic(
        "pages again", "One program of sixteen puts two pages again and again.", "as in runs", "no page twice"
    ),
    Heuristic(
        "bias to unmet coverpoints",
        "Of four programs the one that reaches, on the adversary, what was reached least.",
        "biased",
        "as in runs",
        used=False,
    ),
    Heuristic(
        "pairs",
        "Three programs of four are two operations against each other.",
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
    """After how many operations one way noticed a fault under one seed; None: not within LIMIT."""

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


Found = Mapping[tuple[str, int], int | None]
"""By fault and seed: the operations until it was noticed, or None."""


def gains(noticed: Iterable[Noticed]) -> list[dict[str, object]]:
    """For each heuristic: how many runs of faults were kills with it and without, and how much sooner."""
    by_way: dict[str, dict[tuple[str, int], int | None]] = {}
    for each in noticed:
        by_way.setdefault(each.way, {})[each.fault, each.seed] = each.operations
    return [
        _row(heuristic, by_way[heuristic.on], by_way[heuristic.off])
        for heuristic in HEURISTICS
        if heuristic.on in by_way and heuristic.off in by_way
    ]


def _row(heuristic: Heuristic, on: Found, off: Found) -> dict[str, object]:
    runs = [run for run in on if run in off]
    seeds = sorted({seed for _, seed in runs})
    won = {
        limit: [_kills(on, runs, limit, seed) - _kills(off, runs, limit, seed) for seed in seeds]
        for limit in WITHIN
    }
    return {
        "heuristic": heuristic.name,
        "sentence": heuristic.sentence,
        "used": heuristic.used,
        "runs": len(runs),
        "with": [sum(_kills(on, runs, limit, seed) for seed in seeds) for limit in WITHIN],
        "without": [sum(_kills(off, runs, limit, seed) for seed in seeds) for limit in WITHIN],
        "won": [[min(won[limit]), max(won[limit])] for limit in WITHIN],
        "sooner": round(_sooner(on, off, runs), 2),
        "only": sorted(_always(on, runs) - _ever(off, runs)),
    }


def _kills(found: Found, runs: list[tuple[str, int]], limit: int, seed: int) -> int:
    return sum(_within(found[run], limit) for run in runs if run[1] == seed)


def _within(operations: int | None, limit: int) -> bool:
    return operations is not None and operations <= limit


def _sooner(on: Found, off: Found, runs: list[tuple[str, int]]) -> float:
    # The geometric mean, over the runs, of the operations without it to those with it.
    ratios = [log((off[run] or LIMIT) / (on[run] or LIMIT)) for run in runs]
    return exp(sum(ratios) / len(ratios)) if ratios else 1.0


def _always(found: Found, runs: list[tuple[str, int]]) -> set[str]:
    return {fault for fault, _ in runs} - {run[0] for run in runs if not _within(found[run], LIMIT)}


def _ever(found: Found, runs: list[tuple[str, int]]) -> set[str]:
    return {run[0] for run in runs if _within(found[run], LIMIT)}


HEADING: Final = "## What each heuristic gains"


def markdown(target: str, seeds: int, rows: Iterable[Mapping[str, object]]) -> str:
    """The section of the page."""
    return "\n".join(_lines(target, seeds, list(rows))) + "\n"


def _lines(target: str, seeds: int, rows: list[Mapping[str, object]]) -> Iterator[str]:
    few, many = (f"{limit:,}" for limit in WITHIN)
    yield from (HEADING, "")
    yield (
        f"Generated by `make gains`. Each fault around `{target}` (races: around `model:keep`) on {seeds} "
        "seeds, looked for with a heuristic and without it, all else being the same: how many of the runs "
        f"were kills within {few} and within {many} operations; in brackets the kills won on the worst "
        "and on the best seed. *Sooner*: operations until the kill without it, as a multiple of those with "
        f"it (geometric mean over the runs; {many} where there was no kill). *Only with it*: faults that "
        "were noticed on every seed with it and on none without."
    )
    columns = ("heuristic", "what it does", "runs", f"{few} with", "without", f"{many} with", "without")
    yield from ("", f"| {' | '.join((*columns, 'sooner', 'only with it'))} |", "|---" * 9 + "|")
    for row in rows:
        yield f"| {' | '.join(_cells(row))} |"


def _cells(row: Mapping[str, object]) -> Iterator[str]:
    yield f"{row['heuristic']}" if row["used"] else f"{row['heuristic']} (not used)"
    yield from (str(row["sentence"]), str(row["runs"]))
    on, off, won = row["with"], row["without"], row["won"]
    assert isinstance(on, list) and isinstance(off, list) and isinstance(won, list)  # noqa: PT018
    for kills, others, (least, most) in zip(on, off, won, strict=True):
        yield from (f"{kills} ({least:+d} to {most:+d})", str(others))
    yield from (f"{row['sooner']}x", ", ".join(row["only"]) if isinstance(row["only"], list) else "")
