"""The report as JSON: what a run found, for machines. The HTML report is made from the same data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tmem.conformance.coverage import CHOICES, REQUIRED, applicable
from tmem.conformance.events import Finding
from tmem.conformance.report.causes import causes
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import statuses, verdict
from tmem.conformance.report.words import lines
from tmem.spec.clauses import CLAIMS, CLAUSES

SCHEMA: Final = "tmem-report/1"


def sentence(clause: str) -> str:
    """The sentence of a clause or claim; empty for an id that is neither."""
    known = CLAUSES.get(clause) or CLAIMS.get(clause)
    return known.sentence if known else ""


def data(
    summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path] = MappingProxyType({})
) -> dict[str, Any]:
    """The report as JSON data. `replays` and `scripts` are the files that were written, by clause."""
    reached = verdict(summary)
    return {
        "schema": SCHEMA,
        "verdict": reached.name,
        "exit_code": reached.value,
        "target": summary.target,
        "seed": summary.seed,
        "level": summary.level,
        "page_size": summary.page_size,
        "abilities": list(summary.abilities),
        "claims": list(summary.claims),
        "complete": summary.complete,
        "seconds": round(summary.seconds, 3),
        "operations": summary.operations,
        "programs": summary.programs,
        "schedules": summary.schedules,
        "histories": summary.histories,
        "engines": summary.engines,
        "world": summary.world,
        "work": summary.work,
        "violations": [
            _violation(finding, replays.get(clause), scripts.get(clause))
            for clause, finding in summary.violations.items()
        ],
        "causes": [
            [cause.finding.clause, *(other.clause for other in cause.others)]
            for cause in causes(summary.violations.values())
        ],
        "seen_once": [_violation(finding, None, None) for finding in summary.seen_once.values()],
        "confirmed": {clause: asdict(each) for clause, each in summary.confirmed.items()},
        "kept": [asdict(each) for each in summary.kept],
        "waived": summary.waived,
        "clauses": {
            clause: {
                "status": status.value,
                "checks": summary.checks[clause],
                "exercised": summary.exercised[clause],
                "sentence": sentence(clause),
            }
            for clause, status in statuses(summary).items()
        },
        "coverpoints": _coverpoints(summary),
        "discoveries": [each._asdict() for each in summary.discoveries],
        "canaries": [asdict(canary) for canary in summary.canaries],
        "not_offered": [asdict(missing) for missing in summary.not_offered.values()],
        "not_done": [asdict(each) for each in summary.not_done.values()],
        "notes": summary.notes,
        "races": [list(places) for places in summary.races],
    }


def text(
    summary: Summary, replays: Mapping[str, Path], scripts: Mapping[str, Path] = MappingProxyType({})
) -> str:
    """The report as JSON text."""
    return json.dumps(data(summary, replays, scripts), indent=1, ensure_ascii=False) + "\n"


def _violation(finding: Finding, replay: Path | None, script: Path | None) -> dict[str, object]:
    return asdict(finding) | {
        "sentence": sentence(finding.clause),
        "steps": list(finding.steps),
        "words": {line.about: line.says for line in lines(finding, replay)},
        "replay_file": None if replay is None else str(replay),
        "script_file": None if script is None else str(script),
    }


def _coverpoints(summary: Summary) -> dict[str, dict[str, object]]:
    applies = applicable(summary.not_offered)
    names = dict.fromkeys([*REQUIRED, *CHOICES, *summary.points])
    return {
        name: {
            "count": summary.points[name],
            "required": name in REQUIRED,
            "applicable": name in applies or name not in REQUIRED,
            "unseen": (REQUIRED | CHOICES).get(name, ""),
        }
        for name in names
    }
