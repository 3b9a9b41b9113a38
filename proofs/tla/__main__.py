"""`python -m proofs.tla`: have TLC check every model, and compare counts with the small worlds."""

from __future__ import annotations

import os

import click
from rich.console import Console
from rich.table import Table

from proofs.processes import each
from proofs.tla.models import MODELS, compared
from proofs.tla.tlc import missing


@click.command()
def main() -> None:
    """Check the twin of the specification in TLA+.

    Exits 0 where every model holds and has the states and transitions of its small world, else 1.
    Where Java or TLC is missing the command says so and exits 0, or 1 where the environment has CI.
    """
    console = Console(highlight=False, soft_wrap=True)
    if why := missing():
        console.print(f"not run: {why}", style="yellow")
        raise SystemExit(1 if os.environ.get("CI") else 0)
    table = Table("model", "states", "transitions", "holds", box=None)
    holds = True
    for name, checked, same in each(compared, MODELS):
        verdict = "yes" if not checked.violated else f"no: {checked.violated}"
        if not checked.violated and not same:
            verdict = "yes, but the small world has other counts"
        table.add_row(name, f"{checked.states:,}", f"{checked.transitions:,}", verdict)
        if checked.violated:
            console.print(checked.output, markup=False)
        holds = holds and same and not checked.violated
    console.print(table)
    raise SystemExit(0 if holds else 1)


if __name__ == "__main__":
    main()
