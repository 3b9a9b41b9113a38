"""The file of results: plain data, from which tables and plots are made."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.plan import Plan

SCHEMA = 1
LIBRARIES = ("lz4", "pylibmc", "redis", "hiredis", "lmdb", "diskcache", "cachetools")
DIGITS = 4


class Results:
    """The file docs/results/bench.json: the figures of each experiment, with its plan and machine.

    An experiment that is measured again replaces its earlier figures; the others stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.measured: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        """The machine, the plan, and the missing subjects of each experiment."""
        if path.exists():
            self._load()

    def begin(self, experiment: str) -> None:
        """Remove the earlier figures of the experiment."""
        self.measured[experiment] = {}

    def add(self, experiment: str, piece: str, found: Any) -> None:
        """Add a measured figure."""
        self.measured[experiment][piece] = _short(found)

    def save(self, experiment: str, plan: Plan) -> None:
        """Write the file, with the machine and plan of this run of the experiment."""
        sizes = {name: value for name, value in asdict(plan).items() if name not in ("peers", "missing")}
        self.runs[experiment] = {"machine": machine(), "plan": sizes, "missing": dict(plan.missing)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = {"schema": SCHEMA, "runs": self.runs, "measured": self.measured}
        self.path.write_text(
            json.dumps(data, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n"
        )

    def _load(self) -> None:
        data = json.loads(self.path.read_text())
        if data.get("schema") == SCHEMA:  # a file of another version is replaced
            self.measured, self.runs = data["measured"], data["runs"]


def machine() -> dict[str, Any]:
    """Return what the figures depend on, without names that identify this machine."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _short(found: Any) -> Any:
    """Return the data with numbers rounded to significant digits."""
    match found:
        case float():
            return float(f"{found:.{DIGITS}g}")
        case dict():
            return {key: _short(value) for key, value in found.items()}
        case list() | tuple():
            return [_short(value) for value in found]
    return found
