"""Rounds: contenders are measured in turn, so that noise of the machine hardly changes ratios in a round."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Times = dict[str, list[float]]
"""The figures of each name, one a round; the nth figures of all names are of the same round."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over rounds: the median, and the least and greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def over(cls, figures: Sequence[float]) -> Ratio:
        """Summarize the figures, one a round. Raises ValueError if there are none."""
        if not figures:
            raise ValueError("no rounds: nothing to take a median of")
        return cls(statistics.median(figures), min(figures), max(figures))


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """Return `above` divided by `below`, round by round. Raises ValueError if their lengths differ."""
    return Ratio.over([one / other for one, other in zip(above, below, strict=True)])


def in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int, visits: int = 1) -> Times:
    """Measure each contender in each round, in a random order that is drawn again at each visit.

    Its figure of a round is the median of its visits, so that one disturbed visit does not count.
    """
    draw = random.Random(rounds)
    figures: Times = {name: [] for name in contenders}
    for _ in range(rounds):
        visited: Times = {name: [] for name in contenders}
        for _ in range(visits):
            for name in draw.sample(list(contenders), len(contenders)):
                visited[name].append(contenders[name]())
        for name, found in visited.items():
            figures[name].append(statistics.median(found))
    return figures


def timed(work: Callable[[], object]) -> float:
    """Return the wall time of one call, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(figures: Sequence[float], share: float) -> float:
    """Return the smallest figure such that `share` (0 to 1) of all figures are not greater."""
    if not figures:
        raise ValueError("no figures: nothing to take a percentile of")
    ordered = sorted(figures)
    at = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(at) - 1)]


def thin(figures: Sequence[float]) -> list[list[float]]:
    """Return the tail of a distribution as a few ⟨share, figure⟩ points, for a plot."""
    shares = [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999]
    return [[share, percentile(figures, share)] for share in shares]
