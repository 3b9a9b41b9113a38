"""What `tmem check-trace` found, as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from tmem.conformance.events import Finding
from tmem.conformance.report import words
from tmem.conformance.report.as_html import drawn, page
from tmem.conformance.report.as_json import sentence


def text(file: str, verdict: str, said: str, found: Finding | None = None, calls: Sequence[str] = ()) -> str:
    """The page of a history in `file`: its verdict, what that says, and the violation where there is one.

    `calls` are those that contradict each other, a line each.
    """
    return page("history.html.jinja").render(
        file=file,
        verdict=verdict,
        said=said,
        found=found,
        sentence="" if found is None else sentence(found.clause),
        words={} if found is None else {line.about: line.says for line in words.lines(found)},
        diagram="" if found is None else drawn(found),
        calls=calls,
    )
