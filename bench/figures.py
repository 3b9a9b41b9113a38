"""How the figures of the rows come from what was measured: each function gives one figure a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.experiments import batches, holds, pressure, scale, sizes, threads
from bench.peers import LIMIT

Results = Mapping[str, Any]
"""By experiment and piece, what was measured."""
Figures = Callable[[Results, str], list[float]]
"""The figures of a variant, one a round; KeyError where they were not measured.

Where a function takes `who`, the figures are those of that peer, whichever the variant is.
"""


def divided(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(above, below, strict=True)]


def against(peer: str, operation: str, who: str | None = None) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        found = results["operations"][operation]
        return divided(found[peer], found[who or variant])

    return figures


def batch(operation: str) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        found = results["batches"][batches.one(operation)]
        return divided(found[LIMIT], found[variant])

    return figures


def gain(operation: str, who: str | None = None) -> Figures:
    """What two at a time give over one, with batches."""

    def figures(results: Results, variant: str) -> list[float]:
        one, two = (results["batches"][batches.together(operation, workers)] for workers in (1, 2))
        return divided(one[who or variant], two[who or variant])

    return figures


def of_processes(operation: str) -> Figures:
    ours, in_c = gain(operation), gain(operation, batches.IN_C)
    return lambda results, variant: divided(ours(results, variant), in_c(results, variant))


def two_threads(operation: str, who: str | None = None) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        one, two = (results["threads"][threads.name(operation, n, threads.ALONE)] for n in (1, 2))
        return divided(one[who or variant], two[who or variant])

    return figures


def busy(operation: str, who: str | None = None) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        busy, alone = (
            results["threads"][threads.name(operation, 1, company)]
            for company in (threads.BUSY, threads.ALONE)
        )
        return divided(busy[who or variant], alone[who or variant])

    return figures


def full(operation: str, who: str | None = None) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        costs = results["scale"][who or variant][scale.COST]
        found = costs[max(costs, key=int)][operation]
        return divided(found[scale.HERE], found[scale.FIRST])

    return figures


def full_of_loop(operation: str) -> Figures:
    ours, loop = full(operation), full(operation, LIMIT)
    return lambda results, variant: divided(ours(results, variant), loop(results, variant))


def memory(piece: str, figure: Callable[[dict[str, float]], float], who: str | None = None) -> Figures:
    return lambda results, variant: [figure(found) for found in results["memory"][piece][who or variant]]


def above(found: dict[str, float]) -> float:
    return 100 * (found[sizes.RSS] / found[sizes.PAYLOAD] - 1)


def grown(found: dict[str, float]) -> float:
    return found[sizes.RSS] / found[sizes.PAYLOAD]


def account(found: dict[str, float]) -> float:
    return 100 * (found[sizes.ACCOUNT] / found[sizes.RSS] - 1)


def wait(which: str) -> Figures:
    return lambda results, variant: [1e3 * wait for wait in results["scale"][variant][which]]


def late(setting: str) -> Figures:
    def figures(results: Results, variant: str) -> list[float]:
        found = results["pressure"][variant][setting]
        return divided(found[pressure.P999], found[pressure.MEDIAN])

    return figures


def hold(results: Results, variant: str) -> list[float]:
    return [1e6 * hold for hold in results["holds"][variant][holds.LONGEST]]
