"""`python -m proofs.small_world`: enumerate the relation, follow the judge along it, print the counts."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed

import click
from rich.console import Console

from proofs.processes import PROCESSES, SPAWN, ending
from proofs.small_world.settings import SETTINGS, explore


@click.command()
@click.argument("worlds", nargs=-1, metavar="[WORLD]...", type=click.Choice(list(SETTINGS)))
@click.option("--depth", type=click.IntRange(min=0), help="Letters in a trace at most; else any number.")
@click.option(
    "--seconds", type=float, default=60.0, show_default=True, help="Processor time for each world at most."
)
def main(worlds: tuple[str, ...], depth: int | None, seconds: float) -> None:
    """Show that the judge accepts exactly the traces that the specification generates in each WORLD.

    Exits 0 where they agree as far as they were followed, 1 at a disagreement, with its trace.
    """
    console, agree, whole = Console(highlight=False, soft_wrap=True), True, True
    text = "every answer to every operation, after every trace ..."
    with console.status(text), ProcessPoolExecutor(PROCESSES, SPAWN, ending) as pool:
        for future in as_completed(
            [pool.submit(explore, name, depth, seconds) for name in worlds or SETTINGS]
        ):
            name, size, agreement = future.result()
            console.print(f"{name}: {size}\n    judge: {agreement}")
            whole = whole and agreement.complete
            if agreement.disagreement is not None:
                agree = False
                console.print(str(agreement.disagreement), style="red", markup=False)
    if agree:
        far = "" if whole else ", as far as they were followed"
        console.print(f"The judge accepts exactly the traces that the relation generates{far},")
        console.print("and that are linearizable by the definition of histories.")
    raise SystemExit(0 if agree else 1)


if __name__ == "__main__":
    main()
