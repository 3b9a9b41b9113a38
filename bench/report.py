"""The document: a template filled from the results, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.experiments import scale
from bench.experiments.operations import OPERATIONS
from bench.findings import FINDINGS
from bench.pages import SHARES
from bench.peers import LIMIT, PEERS
from bench.results import Results
from bench.rounds import Ratio, Times
from bench.rows import Goal, Row, rows
from bench.subjects import GET
from bench.variants import PURE, VARIANTS

TEMPLATE = "performance.md.j2"
DOCUMENT = "performance.md"


CAPTIONS = {
    "operations": "What an operation costs, one thread, alone",
    "kinds": "What a put and a hit cost, by kind of page",
    "threads": "Pages a second of all threads together",
    "fill": "What an operation costs as the store fills, against 1,000 pages in the same run",
    "memory": "Growth of the process, divided by the size of the compressed pages",
    "latency": "How long the slowest operations take",
}
"""The captions of the plots, by name."""


def write(results: Results, folder: Path) -> None:
    """Draw the plots and write the document beside them."""
    from bench import plots  # imported here, so that `render` works without the plotting library

    drawn = plots.draw(results.measured, folder / "plots")
    (folder / DOCUMENT).write_text(render(results, drawn))


def render(results: Results, drawn: Sequence[str]) -> str:
    """The text of the document; `drawn` are the names of its plots."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"ratio": ratio_text, "target": target_text, "reached": reached_text}
    found = list(rows(results.measured, tuple(VARIANTS)))
    return environment.get_template(TEMPLATE).render(
        rows=found,
        runs=results.runs,
        machines=_machines(results.runs),
        findings=list(_findings(found)),
        costs=list(_costs(results.measured.get("operations", {}))),
        layers=list(_layers(results.measured.get("layers", {}))),
        hits=list(_hits(results.measured.get("scale", {}))),
        contenders=(*VARIANTS, *PEERS),
        missing={who: why for run in results.runs.values() for who, why in run["missing"].items()},
        shares=SHARES,
        plots={name: caption for name, caption in CAPTIONS.items() if name in drawn},
    )


def ratio_text(ratio: Ratio | None, unit: str) -> str:
    """A figure with the least and the greatest of its rounds."""
    if ratio is None:
        return "not measured"
    return f"{_number(ratio.median)} {unit} ({_number(ratio.low)}–{_number(ratio.high)})".replace(" x", "x")


def target_text(goal: Goal, variant: str) -> str:
    """Return the figure that a variant has to reach."""
    bound = "at most" if goal.least is None else "at least"
    return f"{bound} {goal.target(variant):g} {goal.unit}".replace(" x", "x")


def reached_text(reached: bool | None) -> str:
    """Return yes, no, or an empty cell if the figure was not measured."""
    return {True: "yes", False: "**no**", None: "–"}[reached]


def _number(figure: float) -> str:
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3g}" if abs(figure) >= 10 else f"{figure:.2f}"


def _findings(found: list[Row]) -> Iterator[tuple[Goal, list[str], str]]:
    """Yield the goals that some variant does not reach, with these variants and the reason."""
    for goal in dict.fromkeys(row.goal for row in found):
        short = [row.variant for row in found if row.goal is goal and row.reached is False]
        if short:
            yield goal, short, FINDINGS.get(goal.key, "not looked into yet")


def _machines(runs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the different machines of the runs; their load does not make a difference."""
    machines: list[dict[str, Any]] = []
    for run in runs.values():
        machine = {name: value for name, value in run["machine"].items() if name != "load"}
        if machine not in machines:
            machines.append(machine)
    return machines


def _costs(measured: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Ratio]]]:
    """Return the microseconds per page, by operation and contender."""
    for operation in OPERATIONS:
        if operation in measured:
            yield operation, _micro(measured[operation])


def _layers(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Ratio]]]:
    for variant, operations in measured.items():
        for operation, layers in operations.items():
            yield variant, operation, _micro(layers)


def _hits(measured: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Ratio]]]:
    """Return the microseconds of a hit, of its lookup, and of the limit, by the number of pages held."""
    if not {PURE, LIMIT} <= set(measured):
        return
    ours, loop = (measured[who][scale.COST] for who in (PURE, LIMIT))
    for level in sorted((level for level in ours if scale.LOOKUP in ours[level]), key=int):
        pieces = {
            LIMIT: loop[level][GET],
            "lookup alone": ours[level][scale.LOOKUP],
            "whole operation": ours[level][GET],
        }
        yield int(level), _micro({name: piece[scale.HERE] for name, piece in pieces.items()})


def _micro(times: Times) -> dict[str, Ratio]:
    return {who: Ratio.over([1e6 * second for second in seconds]) for who, seconds in times.items()}
