"""Rounds: whoever is compared takes turns, so that a ratio within a round outlives a noisy machine."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Times = dict[str, list[float]]
"""By name, one figure a round; the nth figures of all names belong together."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure over rounds: the median, and the least and greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def over(cls, figures: Sequence[float]) -> Ratio:
        """The summary of one figure a round; ValueError where there is none."""
        if not figures:
            raise ValueError("no rounds: nothing to take a median of")
        return cls(statistics.median(figures), min(figures), max(figures))


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """`above` over `below`, round by round; ValueError where they do not pair up."""
    return Ratio.over([one / other for one, other in zip(above, below, strict=True)])


def in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int, visits: int = 1) -> Times:
    """Ask each contender for figures in each round, in an order that is drawn anew at each visit.

    Its figure of a round is the median of its visits: one that the machine disturbed is no figure.
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
    """Wall time of one call, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(figures: Sequence[float], share: float) -> float:
    """The least figure that `share` (0 to 1) of all do not exceed."""
    if not figures:
        raise ValueError("no figures: nothing to take a percentile of")
    ordered = sorted(figures)
    at = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(at) - 1)]


def thin(figures: Sequence[float]) -> list[list[float]]:
    """The tail of a distribution as a few ⟨share, figure⟩ points, for a plot."""
    shares = [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999]
    return [[share, percentile(figures, share)] for share in shares]
