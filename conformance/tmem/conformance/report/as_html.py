"""The report as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from tmem.conformance.events import Finding
from tmem.conformance.report.as_json import data
from tmem.conformance.report.curve import curve
from tmem.conformance.report.diagram import diagram, moments
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import GONE, alone, means, rate
from tmem.conformance.report.verdict import unseen
from tmem.conformance.report.world import described

LONGEST: Final = 200_000
"""Characters of a program that the page holds; of a longer one it names the file."""


def text(
    summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path] = MappingProxyType({})
) -> str:
    """The report as HTML, with the programs of violations, which are in the files `scripts`, by clause."""
    shown = page("page.html.jinja").render(
        data(summary, replays, scripts),
        programs=dict.fromkeys(summary.findings, "")
        | {clause: _program(path) for clause, path in scripts.items()},
        alone={clause: alone(path) for clause, path in scripts.items()},
        means=means(summary),
        gone=GONE,
        totals=summary.totals,
        unseen=unseen(summary),
        world=described(summary.world),
        diagrams={clause: drawn(each) for clause, each in summary.findings.items()},
        rates={clause: rate(each) for clause, each in summary.confirmed.items()},
        curve=Markup(curve(summary.discoveries, summary.operations)),
        discovery=summary.discoveries[-1] if summary.discoveries else None,
    )
    return shown.replace("\0", "\ufffd")  # which HTML cannot hold


def _program(path: Path) -> str:
    try:
        program = path.read_text("utf-8")
    except OSError:
        return ""
    return program if len(program) <= LONGEST else ""


def drawn(finding: Finding) -> Markup:
    """The space-time diagram of a finding."""
    return Markup(diagram(moments(finding)))


def page(name: str) -> Template:
    """The template of a page."""
    environment = Environment(
        loader=PackageLoader("tmem.conformance.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
