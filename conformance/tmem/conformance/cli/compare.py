"""`tmem compare`: targets side by side, clause by clause."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from tmem.conformance.cli.console import fail, follow
from tmem.conformance.cli.options import Seconds
from tmem.conformance.report import terminal
from tmem.conformance.report.progress import Loudness
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Status, Verdict, statuses, verdict
from tmem.conformance.run.check import CONFIRM, LIMIT
from tmem.conformance.run.compare import divergence
from tmem.conformance.run.request import Request, cores
from tmem.conformance.run.supervisor import RunError

NOWHERE: Final = Path()


@click.command("compare")
@click.argument("targets", nargs=-1, required=True, metavar="A B ...")
@click.option("--budget", type=Seconds(), metavar="SECONDS", help="Wall time for each target.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option("--jobs", type=click.IntRange(min=1), default=cores, show_default="the cores", metavar="N")
def command(targets: tuple[str, ...], budget: float | None, seed: int, jobs: int) -> None:
    """Check targets one after the other, and show what each clause says of each.

    Of two targets it shows the first operation that they answer differently, in the smallest program that it
    finds. The contract may permit both answers. The exit code is that of the worst verdict, in the order of
    tmem check: 0 where all pass.
    """
    if len(targets) < 2 or len(set(targets)) < len(targets):
        raise click.UsageError("it takes two targets or more, each once")
    summaries = [
        _checked(Request(each, seed, jobs=jobs, budget=budget, limit=LIMIT, confirm=CONFIRM))
        for each in targets
    ]
    console = terminal.console()
    terminal.show(console, grid(summaries))
    if len(targets) == 2:
        console.print(_parting(targets[0], targets[1], seed), soft_wrap=True)
    verdicts = {verdict(each) for each in summaries}
    sys.exit(next(each for each in Verdict if each in verdicts).value)


def grid(summaries: list[Summary]) -> Table:
    """A row for each clause or claim, a column for each target."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("clause", no_wrap=True)
    for summary in summaries:
        table.add_column(summary.target, overflow="fold")
    found = [statuses(summary) for summary in summaries]
    for clause in dict.fromkeys(clause for each in found for clause in each):
        cells = [each.get(clause) for each in found]
        table.add_row(clause, *(_cell(each) for each in cells))
    table.add_row("verdict", *(Text(verdict(each).name, style="bold") for each in summaries))
    return table


def _cell(status: Status | None) -> Text:
    if status is None:
        return Text("not claimed", style="dim")
    return Text(status.value, style=terminal.STATUS_STYLE.get(status, "dim"))


def _checked(request: Request) -> Summary:
    summary = Summary(request.target, request.seed, request.level)
    failure = follow(request, summary, loudness=Loudness.QUIET)
    if failure is not None and not summary.violations:
        fail(failure, NOWHERE)
    return summary


def _parting(one: str, other: str, seed: int) -> Text:
    """The first divergence in words."""
    try:
        found = divergence(one, other, seed, LIMIT)
    except RunError as error:
        return Text(f"\nNo divergence is shown: {error}")
    if found is None:
        return Text("\nNo program was answered differently.")
    lines = ["", "They part here:", *(f"  {step}" for step in found.steps), f"  {found.asked}"]
    for target, answer, clause in zip((one, other), found.answers, found.breaks, strict=True):
        lines.append(f"    {target} → {answer}, {f'which breaks {clause}' if clause else 'which is allowed'}")
    return Text("\n".join(lines))
