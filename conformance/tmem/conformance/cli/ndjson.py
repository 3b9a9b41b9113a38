"""Writes the events of a run as they come, one JSON object a line, for programs that follow it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from tmem.conformance.events import Event
from tmem.conformance.report.verdict import USAGE
from tmem.conformance.run.messages import encode

SCHEMA: Final = "tmem-events/1"


@contextmanager
def stream(path: Path | None) -> Iterator[Callable[[Event], None]]:
    """What writes an event into the file, line by line; nothing where there is no file.

    Ends the command with one line where the file cannot be written.
    """
    if path is None:
        yield lambda event: None
        return
    try:
        with path.open("wb", buffering=0) as file:
            file.write(json.dumps({"is": "Stream", "schema": SCHEMA}).encode() + b"\n")
            yield lambda event: _write(path, lambda: file.write(encode(event)))
    except OSError as error:
        _end(path, error)


def _write(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        _end(path, error)


def _end(path: Path, error: OSError) -> None:
    click.echo(f"Error: {path} could not be written: {error.strerror}", err=True)
    sys.exit(USAGE)
