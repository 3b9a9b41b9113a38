"""`make matrix`: checks the adapters of examples/stores and records them as docs/matrix.md.

All engines check the right adapters. The engine that finds what a naive one breaks checks it until it does.
The results are recorded in docs/results/matrix.json; `--redraw` writes the page from them.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import statuses, verdict
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request, cores

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "docs" / "results" / "matrix.json"
PAGE: Final = ROOT / "docs" / "matrix.md"
ALL: Final = tuple(each.name for each in ENGINES)
RIGHT: Final = (ALL, 0.005)
"""The engines that check a right adapter, and how much of their work they do."""
ALONE: Final = (("schedules",), 0.15)
"""The same for a naive one that has two commands where it needs one."""
FULL: Final = (("large",), 0.01)
"""The same for one that errs when its store is full."""


def _program(*command: str) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return next(word.removeprefix("v=") for word in said if word.removeprefix("v=")[0].isdigit())


def _redis() -> str:
    return f"Redis {_program('redis-server', '--version')}, redis-py {version('redis')}"


def _memcached() -> str:
    return f"memcached {_program('memcached', '-V')}, pymemcache {version('pymemcache')}"


STORES: Final[dict[str, Callable[[], str]]] = {
    "cache_tools": lambda: f"cachetools {version('cachetools')}",
    "disk_cache": lambda: f"diskcache {version('diskcache')}",
    "lmdb_pages": lambda: f"lmdb {version('lmdb')}",
    "memcached": _memcached,
    "redis_lru": _redis,
    "redis_persistent": _redis,
    "sqlite": lambda: f"SQLite {sqlite3.sqlite_version}",
    "tmpfs_files": lambda: "files of a tmpfs",
}
"""The adapters, each with what tells the versions of its store."""


def naive(name: str) -> tuple[tuple[str, ...], float]:
    """How a naive adapter is checked."""
    return FULL if name == "redis_persistent" else ALONE


def checked(name: str, variant: str, how: tuple[tuple[str, ...], float]) -> Summary:
    """The account of a run, that of a naive adapter until its first counterexample is small."""
    target = f"py:{ROOT}/examples/stores/{name}.py:{variant}"
    names, scale = how
    request = Request(target, hang_after=120.0, scale=scale, jobs=cores())
    summary = Summary(target, 0, request.level)
    with closing(check(request, [each for each in ENGINES if each.name in names])) as events:
        for event in events:
            summary.add(event)
            if variant == "Naive" and isinstance(event, Found):
                break
    return summary


def record(name: str) -> dict[str, Any]:
    """What is recorded of a store."""
    right, wrong = checked(name, "Right", RIGHT), checked(name, "Naive", naive(name))
    return {
        "store": STORES[name](),
        "date": date.today().isoformat(),
        "right": {
            "verdict": verdict(right).name,
            "operations": right.operations,
            "clauses": {clause: status.value for clause, status in statuses(right).items()},
        },
        "naive": {
            "verdict": verdict(wrong).name,
            "failures": {clause: list(each.steps) for clause, each in wrong.findings.items()},
        },
    }


def page(results: dict[str, dict[str, Any]]) -> str:
    """The page of all results.

    >>> page({}).splitlines()[0]
    '# Real stores by clauses'
    """
    lines = [
        "# Real stores by clauses",
        "",
        "`make matrix` writes this page. It checks the adapters of `examples/stores` ([docs](stores.md)).",
        "All engines check the right ones, each with a two-hundredth of the work of `tmem check`.",
        "",
        "| adapter | store | date | right | operations | naive breaks |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in results.items():
        right, broken = one["right"], ", ".join(one["naive"]["failures"]) or "nothing that was found"
        cells = (f"`{name}`", one["store"], one["date"], right["verdict"], f"{right['operations']:,}", broken)
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## The right adapters",
        "",
        f"| clause | {' | '.join(results)} |",
        "|---" * (len(results) + 1) + "|",
    ]
    found = [one["right"]["clauses"] for one in results.values()]
    for clause in dict.fromkeys(clause for each in found for clause in each):
        lines.append(f"| {clause} | {' | '.join(each.get(clause, 'not claimed') for each in found)} |")
    lines += ["", "## What the naive adapters break", ""]
    for name, one in results.items():
        for clause, steps in one["naive"]["failures"].items():
            lines += [f"`{name}` breaks {clause}:", "", "```", *steps, "```", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> None:
    """Check the stores that are named, or all, and write the page."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if sys.argv[1:] != ["--redraw"]:
        for name in sys.argv[1:] or STORES:
            results[name] = record(name)
            print(name, results[name]["right"]["verdict"], *results[name]["naive"]["failures"], flush=True)
            RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    PAGE.write_text(page(dict(sorted(results.items()))))


if __name__ == "__main__":
    main()
