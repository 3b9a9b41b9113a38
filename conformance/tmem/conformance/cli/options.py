"""Options that several commands have."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tmem.conformance import files
from tmem.conformance.run.hang import HANG_AFTER


class Seconds(click.FloatRange):
    """A finite time in seconds; click itself accepts `nan` and `inf`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; fails where they are not finite."""
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a finite number of seconds.", param, ctx)
        return seconds


hang_after = click.option(
    "--hang-after",
    type=Seconds(min=0.1),
    default=HANG_AFTER,
    metavar="SECONDS",
    show_default=True,
    help="How long one operation may take before it counts as hung.",
)


def _report_path(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and (why := files.objection(path)):
        raise click.BadParameter(why)
    return path


def report_option(name: str, what: str) -> Callable[[Any], Any]:
    """The option to write a report into a file. The file's folder must be there before the run begins."""
    kind = click.Path(path_type=Path)
    return click.option(f"--{name}", type=kind, metavar="FILE", callback=_report_path, help=f"Write {what}.")
