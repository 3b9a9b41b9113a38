"""The report as SARIF 2.1.0, for tools that show results beside the code: what has a place in the source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tmem.conformance.events import Finding
from tmem.conformance.report import words
from tmem.conformance.report.as_json import sentence
from tmem.conformance.report.places import Place, place
from tmem.conformance.report.summary import Summary

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
DATA_RACE: Final = "data-race"
_RACES: Final = "Two accesses of one address, of which one writes, have no order."


def text(summary: Summary) -> str:
    """The report as text of SARIF. A violation without a place in the source is left out."""
    results = [*_violations(summary), *_races(summary)]
    used = dict.fromkeys(result["ruleId"] for result in results)
    rules = [{"id": rule, "shortDescription": {"text": sentence(rule) or _RACES}} for rule in used]
    tool = {"driver": {"name": "tmem", "version": version("tmem"), "rules": rules}}
    run = {"tool": tool, "results": results, "columnKind": "unicodeCodePoints"}
    whole = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _violations(summary: Summary) -> Iterator[dict[str, Any]]:
    for finding in summary.violations.values():
        if places := [found for each in finding.places if (found := place(each))]:
            yield _result(finding.clause, "error", _message(finding), places)


def _message(finding: Finding) -> str:
    return "\n".join(f"{line.about}: {line.says}" for line in words.lines(finding))


def _races(summary: Summary) -> Iterator[dict[str, Any]]:
    level = "error" if summary.races_fail else "warning"
    for race in summary.races:
        if places := [found for each in race if (found := place(each))]:
            yield _result(DATA_RACE, level, f"Data race: nothing orders {race[0]} and {race[1]}.", places)


def _result(rule: str, level: str, message: str, places: list[Place]) -> dict[str, Any]:
    first, *others = map(_location, places)
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": message},
        "locations": [first],
        "relatedLocations": [{"id": number, **each} for number, each in enumerate(others, 1)],
    }


def _location(found: Place) -> dict[str, Any]:
    uri = Path(found.file).as_uri() if Path(found.file).is_absolute() else quote(found.file)
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": found.line}}}
