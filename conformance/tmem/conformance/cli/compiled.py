"""The commands for backends in C, C++ and Rust."""

from __future__ import annotations

import click

from tmem.conformance.compiled import header as made


@click.command()
def header() -> None:
    """Print tmem.h, all that a store in C, C++ or Rust needs: flags, errnos, and each function's contract."""
    click.echo(made.text(), nl=False)
