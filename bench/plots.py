"""The plots, as SVG and PNG: every contender in one colour throughout."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before pyplot: there may be no display

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.experiments import pressure, scale, sizes, threads
from bench.experiments.operations import CLEANCACHE, FRONTSWAP
from bench.peers import PEERS
from bench.subjects import FLUSH, GET, MISS, PUT
from bench.variants import VARIANTS

Measured = Mapping[str, Mapping[str, Any]]

OURS = ("#b2182b", "#ef6548", "#fc9272", "#7f0000", "#d94801", "#fdae6b")
THEIRS = ("#000000", "#4d4d4d", "#2166ac", "#1b7837", "#762a83", "#8c6d31", "#35978f", "#878787")
COLOURS = dict(zip(VARIANTS, OURS, strict=False)) | dict(zip(PEERS, THEIRS, strict=True))
"""Variants of the store are red, peers are not."""

STYLE: dict[Any, object] = {  # of names that matplotlib lists one by one in a type
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "tmem",  # equal figures, equal files
}


def draw(measured: Measured, folder: Path) -> list[str]:
    """Draw what there are figures for; the names of the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with plt.rc_context(STYLE):
        for name, make in PLOTS.items():
            figure = make(measured)
            if figure is None:
                continue
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            figure.savefig(folder / f"{name}.png", dpi=110)
            plt.close(figure)
            drawn.append(name)
    return drawn


def _operations(measured: Measured) -> Figure | None:
    found = measured.get("operations", {})
    shown = [name for name in (PUT, GET, MISS, FLUSH, CLEANCACHE, FRONTSWAP) if name in found]
    if not shown:
        return None
    figure, grid = plt.subplots(2, 3, figsize=(10, 5.6), sharey=True, layout="constrained")
    everyone = list(found[PUT])
    for axes, operation in zip(grid.flat, shown, strict=False):
        _dots(axes, everyone, found[operation])
        axes.set_title(operation)
    for axes in grid[-1]:
        axes.set_xlabel("µs a page (log scale)")
    for axes in grid.flat[len(shown) :]:
        axes.axis("off")
    return figure


def _dots(axes: Axes, everyone: list[str], times: Mapping[str, list[float]]) -> None:
    for place, who in enumerate(everyone):
        if who not in times:
            continue
        micro = 1e6 * statistics.median(times[who])
        axes.plot(micro, place, "o", color=COLOURS[who], markersize=7)
        label = f"{micro:.2g}" if micro < 10 else f"{micro:.0f}"
        axes.annotate(
            label, (micro, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_xscale("log")
    axes.set_yticks(range(len(everyone)), everyone)
    axes.set_ylim(len(everyone) - 0.5, -0.5)
    axes.margins(x=0.15)
    _plain(axes.xaxis)


def _kinds(measured: Measured) -> Figure | None:
    found = measured.get("kinds", {})
    if not found:
        return None
    figure, columns = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    kinds = list(found)
    for axes, operation in zip(columns, (PUT, GET), strict=True):
        for who in found[kinds[0]][operation]:
            micro = [1e6 * statistics.median(found[kind][operation][who]) for kind in kinds]
            axes.plot(
                micro, kinds, "o", color=COLOURS[who], label=who, markersize=6, zorder=3 + (who in VARIANTS)
            )
        axes.set_xscale("log")
        _plain(axes.xaxis)
        axes.set_title(operation)
        axes.set_xlabel("µs a page (log scale)")
        axes.invert_yaxis()
    _legend(figure, columns[0])
    return figure


def _threads(measured: Measured) -> Figure | None:
    found = measured.get("threads", {})
    if not found:
        return None
    figure, grid = plt.subplots(2, 2, figsize=(10, 7), sharex=True, sharey="row", layout="constrained")
    numbers = [n for n in (1, 2, 4, 8) if threads.name(PUT, n, threads.ALONE) in found]
    for row, operation in zip(grid, (PUT, GET), strict=True):
        for axes, company in zip(row, (threads.ALONE, threads.BUSY), strict=True):
            pieces = [found.get(threads.name(operation, number, company), {}) for number in numbers]
            for who in pieces[0]:
                rates = [1 / statistics.median(piece[who]) for piece in pieces if who in piece]
                axes.plot(numbers[: len(rates)], rates, "o-", color=COLOURS[who], label=who, markersize=4)
            axes.set_yscale("log")
            axes.set_xscale("log", base=2)
            axes.set_xticks(numbers, [str(number) for number in numbers])
            axes.set_title(
                f"{operation}, {'beside a busy Python thread' if company == threads.BUSY else company}"
            )
        row[0].set_ylabel("pages a second, all threads (log scale)")
    for axes in grid[-1]:
        axes.set_xlabel("threads")
    _legend(figure, grid[0][0])
    return figure


def _fill(measured: Measured) -> Figure | None:
    found = measured.get("scale", {})
    if not found:
        return None
    figure, columns = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for axes, operation in zip(columns, (PUT, GET), strict=True):
        for who, pieces in found.items():
            levels = sorted(pieces[scale.COST], key=int)
            times = [pieces[scale.COST][level][operation][scale.HERE] for level in levels]
            first = [pieces[scale.COST][level][operation][scale.FIRST] for level in levels]
            ratios = [
                statistics.median(a / b for a, b in zip(here, small, strict=True))
                for here, small in zip(times, first, strict=True)
            ]
            axes.plot([int(level) for level in levels], ratios, "o-", color=COLOURS[who], label=who)
        axes.axhline(1.3, color="#999999", linestyle="--", linewidth=1)
        axes.annotate(
            "to reach: 1.3", (1000, 1.3), xytext=(0, 3), textcoords="offset points", color="#666666"
        )
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(operation)
        axes.set_xlabel("pages held (log scale)")
    columns[0].set_ylabel("cost against that at 1,000 pages")
    _legend(figure, columns[0])
    return figure


def _memory(measured: Measured) -> Figure | None:
    found = measured.get("memory", {})
    if not found:
        return None
    pieces = [piece for piece in (sizes.FILL, sizes.CHURN, sizes.CHURN_ONE_ARENA) if piece in found]
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    who_all = list(found[pieces[0]])
    width = 0.8 / len(who_all)
    for number, who in enumerate(who_all):
        for place, piece in enumerate(pieces):
            grown = statistics.median(one[sizes.RSS] / one[sizes.PAYLOAD] for one in found[piece][who])
            at = place + width * (number - (len(who_all) - 1) / 2)
            axes.bar(at, grown, width * 0.92, color=COLOURS[who], label=who if place == 0 else None)
            axes.annotate(f"{grown:.2f}", (at, grown), ha="center", va="bottom", fontsize=8)
    axes.axhline(1, color="#666666", linewidth=1)
    axes.set_xticks(range(len(pieces)), pieces)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("growth of RSS over payload")
    _legend(figure, axes)
    return figure


def _latency(measured: Measured) -> Figure | None:
    late, waits = measured.get("pressure", {}), measured.get("scale", {})
    if not late:
        return None
    figure, columns = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
    lines = ("-", "--", ":")
    for who, settings in late.items():
        for setting, line in zip(pressure.SETTINGS, lines, strict=True):
            _tail(columns[0], settings[setting][pressure.TAIL], COLOURS[who], line, f"{who}, {setting}")
    columns[0].set_title("a put, while the store is full")
    for who, pieces in waits.items():
        if scale.TAIL in pieces:
            _tail(columns[1], pieces[scale.TAIL], COLOURS[who], "-", who)
    columns[1].set_title("an operation, while another pool is destroyed")
    columns[0].set_ylabel("µs (log scale)")
    for axes in columns:
        axes.set_yscale("log")
        _plain(axes.yaxis)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        axes.set_xlabel("share of operations that take longer (log scale)")
        if axes.lines:
            axes.legend(fontsize=8)
    return figure


def _tail(axes: Axes, tails: list[list[list[float]]], colour: str, line: str, label: str) -> None:
    """The median of the rounds, at each share."""
    shares = [share for share, _ in tails[0]]
    micro = [1e6 * statistics.median(tail[at][1] for tail in tails) for at in range(len(shares))]
    axes.plot([1 - share for share in shares], micro, line, color=colour, label=label)
    axes.set_xscale("log")
    if not axes.xaxis_inverted():
        axes.invert_xaxis()


def _plain(axis: Axis) -> None:
    """Ticks of a log scale as plain numbers, at least one more than the powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if _span(axis) < 60 else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axis.set_minor_formatter(NullFormatter())


def _span(axis: Axis) -> float:
    low, high = axis.get_view_interval()
    return float(high / low)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(5, len(labels)))


PLOTS: dict[str, Callable[[Measured], Figure | None]] = {
    "operations": _operations,
    "kinds": _kinds,
    "threads": _threads,
    "fill": _fill,
    "memory": _memory,
    "latency": _latency,
}
