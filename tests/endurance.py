"""An hour of checking what is right, and ten minutes of real threads on the store: no alarm may be raised.

`python -m tests.endurance` records both in docs/results/endurance.json. Half of the hour goes to the store,
half to the strategies of the adversary, on two cores at once; `--minutes` takes another time than 60.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tmem.conformance.check import Plan, check
from tmem.conformance.engines.stress import Stress
from tmem.conformance.events import Event
from tmem.conformance.summary import Summary
from tmem.conformance.supervisor import RunError
from tmem.conformance.verdict import verdict
from tmem.model.choices import STRATEGIES

RESULT = Path(__file__).parents[1] / "docs" / "results" / "endurance.json"


def checked(target: str, seconds: float) -> dict[str, Any]:
    """Check one target for so long; what was done and found."""
    summary = Summary(target, 0, "linearizable")
    start = time.monotonic()
    _follow(summary, check(Plan(target, budget=seconds)))
    return _row(summary, verdict(summary).name, time.monotonic() - start)


def stressed(seconds: float) -> dict[str, Any]:
    """Let crowds of real threads loose on the store for so long."""
    summary = Summary("impl", 0, "linearizable")
    start = time.monotonic()
    _follow(summary, check(Plan("impl", budget=seconds), engines=(Stress(),)))
    return _row(summary, "violations" if summary.findings else "no violation", time.monotonic() - start)


def _follow(summary: Summary, events: Iterator[Event]) -> None:
    try:
        for event in events:
            summary.add(event)
    except RunError as failure:  # what was done until then is told all the same
        summary.notes.append(f"The run could not go on: {failure}\n{failure.details}")


def _row(summary: Summary, told: str, seconds: float) -> dict[str, Any]:
    return {
        "target": summary.target,
        "verdict": told,
        "violations": sorted(summary.findings),
        "stories": {clause: [*found.steps, found.message] for clause, found in summary.findings.items()},
        "complete": summary.complete,
        "seconds": round(seconds),
        "operations": summary.operations,
        "schedules": summary.schedules,
        "histories": summary.histories,
        "notes": summary.notes,
    }


def main() -> int:
    """Do all of it; 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--stress-minutes", type=float, default=10.0)
    asked = parser.parse_args()
    half = asked.minutes * 30
    strategies = [f"model:{name}" for name in STRATEGIES]
    with ThreadPoolExecutor(2) as pool:
        store = pool.submit(checked, "impl", half)
        models = pool.submit(lambda: [checked(name, half / len(strategies)) for name in strategies])
        rows = [store.result(), *models.result()]
    stress = stressed(asked.stress_minutes * 60)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"checked": rows, "stress": stress}, indent=1) + "\n", "utf-8")
    print(RESULT.read_text("utf-8"))
    failed = [row for row in (*rows, stress) if row["violations"] or not row["complete"]]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
