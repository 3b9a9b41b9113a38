"""Annotations as GitHub reads them from the output of an action: violations beside the code or on the run."""

from __future__ import annotations

from collections.abc import Iterator

from tmem.conformance.report import words
from tmem.conformance.report.places import place
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.terminal import means
from tmem.conformance.report.verdict import Verdict, verdict


def lines(summary: Summary) -> Iterator[str]:
    """A line for each violation and data race, and one for a verdict that is not about a clause."""
    for finding in summary.violations.values():
        message = "\n".join(f"{line.about}: {line.says}" for line in words.lines(finding))
        yield _line("error", f"{finding.clause} {summary.target}", message, finding.places)
    for race in summary.races:
        kind = "error" if summary.races_fail else "warning"
        yield _line(kind, f"data race {summary.target}", f"nothing orders {race[0]} and {race[1]}", race)
    if (reached := verdict(summary)) not in (Verdict.PASS, Verdict.FAIL):
        yield _line("error", f"{reached.name} {summary.target}", means(summary), ())


def _line(kind: str, title: str, message: str, places: tuple[str, ...]) -> str:
    """A command of a workflow.

    >>> _line("error", "a: b", "50%\\nmore", ("store.py:7",))
    '::error file=store.py,line=7,title=a%3A b::50%25%0Amore'
    """
    found = next((known for each in places if (known := place(each))), None)
    where = "" if found is None else f"file={_property(found.file)},line={found.line},"
    return f"::{kind} {where}title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
