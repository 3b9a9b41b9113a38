"""An hour of checking what is right, and ten minutes of real threads on the store: no alarm may be raised.

`python -m tests.endurance` records both in docs/results/endurance.json. Half of the hour goes to the store,
half to the strategies of the adversary, on two cores at once; `--minutes` takes another time than 60.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tmem.conformance.check import Plan, check
from tmem.conformance.engines.stress import Stress
from tmem.conformance.summary import Summary
from tmem.conformance.verdict import verdict
from tmem.model.choices import STRATEGIES

RESULT = Path(__file__).parents[1] / "docs" / "results" / "endurance.json"


def checked(target: str, seconds: float) -> dict[str, Any]:
    """Check one target for so long; what was done and found."""
    summary = Summary(target, 0, "linearizable")
    start = time.monotonic()
    for event in check(Plan(target, budget=seconds)):
        summary.add(event)
    return _row(summary, verdict(summary).name, time.monotonic() - start)


def stressed(seconds: float) -> dict[str, Any]:
    """Let crowds of real threads loose on the store for so long."""
    summary = Summary("impl", 0, "linearizable")
    start = time.monotonic()
    for event in check(Plan("impl", budget=seconds), engines=(Stress(),)):
        summary.add(event)
    return _row(summary, "violations" if summary.findings else "no violation", time.monotonic() - start)


def _row(summary: Summary, told: str, seconds: float) -> dict[str, Any]:
    return {
        "target": summary.target,
        "verdict": told,
        "violations": sorted(summary.findings),
        "stories": {clause: [*found.steps, found.message] for clause, found in summary.findings.items()},
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
    return 1 if stress["violations"] or any(row["violations"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
