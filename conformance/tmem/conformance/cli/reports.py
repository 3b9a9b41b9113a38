"""Writes the files that a command was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from tmem.conformance import files
from tmem.conformance.report.verdict import USAGE


def write(path: Path, text: Callable[[], str]) -> None:
    """Write a file whole; where that cannot be, end the command with one line."""
    try:
        files.write(path, text())
    except OSError as error:
        click.echo(f"Error: {path} could not be written: {error.strerror}", err=True)
        sys.exit(USAGE)
