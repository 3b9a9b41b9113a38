"""`tmem harness-check`: does a server speak the frames of docs/wire.md?"""

from __future__ import annotations

import sys

import click
from rich.console import Console

from tmem.conformance.cli.options import Seconds
from tmem.conformance.remote.dialogue import Peer
from tmem.conformance.remote.rules import RULES, broken
from tmem.conformance.remote.server import SCHEMES, ServerError, server


@click.command("harness-check")
@click.argument("target")
@click.option(
    "--hang-after",
    type=Seconds(min=0.1),
    default=60.0,
    metavar="SECONDS",
    show_default=True,
    help="How long the server may take for each step, its start included.",
)
def command(target: str, hang_after: float) -> None:
    """Check the protocol of TARGET alone: framing, errors, order, limits, half-closed and slow peers.

    TARGET is cmd:"./program args", unix:PATH or tcp:HOST:PORT. What is wrong is told by rule and byte.
    Pages are not judged: `tmem check` does that.

    Exit codes: 0 where every rule holds, 1 where one is broken, 2 where no server answers.
    """
    scheme, _, rest = target.partition(":")
    if scheme not in SCHEMES or not rest:
        raise click.UsageError(
            f'{target} speaks no frames: write cmd:"./program", unix:PATH or tcp:HOST:PORT'
        )
    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    try:
        peer = Peer(server(scheme, rest), hang_after)
        for name, rule in RULES.items():
            how, why_not = broken(rule, peer)
            wrong += how is not None
            mark = "✗" if how else "○" if why_not else "✓"
            console.print(f"{mark} {name:16} {(rule.__doc__ or '').strip()}", markup=False)
            if how:
                console.print(f"  {how}", markup=False)
            if why_not:
                console.print(f"  not offered: {why_not}", markup=False)
    except ServerError as error:
        raise click.UsageError(f"{target}: {error}") from error
    console.print(f"{wrong} of {len(RULES)} rules are broken." if wrong else f"All {len(RULES)} rules hold.")
    sys.exit(1 if wrong else 0)
