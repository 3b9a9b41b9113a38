"""`python -m proofs`: prove the theorems, print the table, and fail unless all of them hold."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from proofs import THEOREMS
from proofs.usage import check_usage, missing
from tmem.spec.clauses import CLAUSES


@click.command()
@click.argument("names", nargs=-1, metavar="[THEOREM]...")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the results here as JSON.")
@click.option(
    "--markdown", type=click.Path(path_type=Path), help="Write the list of the theorems here; prove nothing."
)
def main(names: tuple[str, ...], json_file: Path | None, markdown: Path | None) -> None:
    """Have CrossHair confirm every THEOREM (all, if none is named) and refute its witness.

    Exits 0 if all were confirmed over all paths and all witnesses refuted, else 1; 2 for wrong usage.
    """
    check_usage(names, THEOREMS, "docs/proofs.md")
    try:
        from proofs import check, report
    except ModuleNotFoundError as error:
        raise missing(error) from None
    if markdown is not None:
        markdown.write_text(report.markdown(THEOREMS, CLAUSES))
        return
    asked = {name: theorem for name, theorem in THEOREMS.items() if not names or name in names}
    console = Console()
    start = time.monotonic()
    proving = check.prove_all(list(asked))
    progress = track(proving, "proving", total=len(asked), console=Console(stderr=True), transient=True)
    results = {result.name: result for result in progress}
    seconds = time.monotonic() - start
    console.print(report.table(asked, results))
    if json_file is not None:
        json_file.write_text(json.dumps(report.as_json(asked, results, round(seconds, 1)), indent=2) + "\n")
    problems = report.failures(asked, results)
    for problem in problems:
        console.print(problem, style="red", markup=False, highlight=False)
    console.print(f"{len(asked) - len(problems)} of {len(asked)} theorems proved in {seconds:.0f} s")
    raise SystemExit(1 if problems else 0)


if __name__ == "__main__":
    main()
