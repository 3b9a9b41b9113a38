"""`python -m proofs.impl`: decide the contracts; fail unless all hold and all bugs break them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from proofs.usage import check_usage, missing

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "results" / "prove-impl.json"
PAGE = DOCS / "proofs-impl.md"


@click.command()
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@click.option("--record", is_flag=True, help=f"Write {RESULTS.name} and {PAGE.name} in docs/.")
def main(names: tuple[str, ...], record: bool) -> None:
    """Have CrossHair decide every CONTRACT (all, if none is named), and refute its witness and its bugs.

    Exits 0 if all hold and all bugs are refuted, else 1; 2 for wrong usage.
    """
    try:
        from proofs.impl import check, report
        from proofs.impl.contract import CONTRACTS
    except ModuleNotFoundError as error:
        raise missing(error) from None
    check_usage(names, CONTRACTS, "docs/proofs-impl.md")
    if names and record:
        raise click.UsageError("a record is of all contracts: name none")
    asked = check.trials(names or list(CONTRACTS))
    console, start = Console(highlight=False), time.monotonic()
    running = track(
        check.run_all(asked), "deciding", total=len(asked), console=Console(stderr=True), transient=True
    )
    findings = {finding.trial: finding for finding in running}
    run = report.data(findings, time.monotonic() - start)
    problems = report.failures(asked, findings)
    console.print(report.table(run))
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    if record and not problems:
        RESULTS.write_text(json.dumps(run, indent=1) + "\n")
        PAGE.write_text(report.page(run))
    console.print(f"{len(asked)} runs, {len(problems)} problems, {run['seconds']:.0f} s")
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
