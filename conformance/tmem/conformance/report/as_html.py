"""The report as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from tmem.conformance.report.as_json import data
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import means
from tmem.conformance.report.verdict import unseen


def text(summary: Summary, replays: Mapping[str, Path]) -> str:
    """The report as HTML."""
    environment = Environment(
        loader=PackageLoader("tmem.conformance.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.jinja")
    return template.render(
        data(summary, replays),
        means=means(summary),
        totals=summary.totals,
        unseen=unseen(summary),
    )
