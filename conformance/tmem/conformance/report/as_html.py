"""The report as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tmem.conformance.report.as_json import data
from tmem.conformance.report.diagram import diagram
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import means
from tmem.conformance.report.verdict import unseen
from tmem.conformance.report.world import described


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
    drawn = {clause: Markup(diagram(each.timeline)) for clause, each in summary.violations.items()}
    return template.render(
        data(summary, replays),
        means=means(summary),
        totals=summary.totals,
        unseen=unseen(summary),
        world=described(summary.world),
        diagrams=drawn,
    )
