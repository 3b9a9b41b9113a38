"""`make history-agreement`: the history checker against the definition, on a million small histories.

Each batch has a seed of its own and is kept in docs/results/history-agreement.json when it is done, so the
run can be interrupted and continued. If the compared code has changed, it starts from the beginning.
Linearizations of legal histories are replayed, and the definition also decides windows of illegal ones.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from bench.histories import as_checked, small
from tmem.conformance import history
from tmem.conformance.history.calls import call_of
from tmem.conformance.history.checker import Illegal, Legal, check
from tmem.conformance.history.slot.certificate import objection
from tmem.spec import history as definition
from tmem.spec import integrity
from tmem.spec.history import Call, linearizable
from tmem.spec.integrity import intact

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results/history-agreement.json"
BATCH = 5_000
OTHERS = frozenset({"__init__", "format", "recorder", "replies", "stream"})
"""Modules of the checker's package that do not influence its answers."""
QUESTIONS = ("linearizable", "linearizable", "linearizable", "atomic-flush", "integrity")
"""The question of each batch, in rotation."""


def ask(question: str, calls: Sequence[Call]) -> tuple[str, bool, str]:
    """Return the checker's answer, whether it is right, and what is wrong with its evidence, if anything."""
    records = [call_of(0, call.begin, call.end, call.operation, call.answer) for call in calls]
    if question == "integrity":
        result, legal = check(records, level="integrity"), intact(calls)
    else:
        claims = ("atomic-flush",) if question == "atomic-flush" else ()
        result = check(records, claims=claims)
        legal = linearizable(as_checked(calls), atomic_flush=bool(claims))
    kind = type(result).__name__.lower()
    if isinstance(result, Legal):
        wrong = next((text for order in result.linearizations() if (text := objection(order))), "")
        return kind, legal, wrong
    if isinstance(result, Illegal):
        same = {id(record): call for record, call in zip(records, calls, strict=True)}
        window = [same[id(record)] for record in result.window]
        alone = (
            intact(window)
            if question == "integrity"
            else linearizable(as_checked(window), atomic_flush=question == "atomic-flush")
        )
        return kind, not legal, "the window is legal" if alone else ""
    return kind, True, ""


def batch(seed: int) -> dict[str, Any]:
    """Return the counts of answers of one batch, and the histories on which checker and definition differ."""
    draw = random.Random(seed)
    question = QUESTIONS[seed % len(QUESTIONS)]
    counts: Counter[str] = Counter()
    differ = []
    for number in range(BATCH):
        calls = small(draw)
        kind, right, wrong = ask(question, calls)
        counts[kind] += 1
        if not right or wrong:
            differ.append(f"{question}, seed {seed}, history {number}: {wrong or f'answered {kind}'}")
    return {"seed": seed, "question": question, **counts, "differ": differ}


def code() -> str:
    """Return a hash of the compared code, without comments and docstrings."""
    files = [Path(definition.__file__), Path(integrity.__file__), ROOT / "bench/histories.py"]
    files += [file for file in sorted(Path(history.__path__[0]).rglob("*.py")) if file.stem not in OTHERS]
    return hashlib.sha256("".join(map(_bare, files)).encode()).hexdigest()[:16]


def _bare(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def done(version: str) -> list[dict[str, Any]]:
    """Return the batches of this version that earlier runs finished."""
    if not RESULTS.exists():
        return []
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    return list(kept["batches"]) if kept.get("code") == version else []


def save(version: str, batches: Sequence[dict[str, Any]]) -> None:
    """Write the finished batches to the results file."""
    counts: Counter[str] = Counter()
    for one in batches:
        counts.update({kind: one.get(kind, 0) for kind in ("legal", "illegal", "unknown")})
    whole = {
        "command": "make history-agreement",
        "code": version,
        "histories": len(batches) * BATCH,
        **counts,
        "disagreements": sum(len(one["differ"]) for one in batches),
        "batches": sorted(batches, key=lambda one: int(one["seed"])),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    draft = RESULTS.with_suffix(".draft")
    draft.write_text(json.dumps(whole, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    draft.replace(RESULTS)


def remaining(batches: Sequence[dict[str, Any]], histories: int) -> Iterator[int]:
    """The seeds that are left to do."""
    finished = {one["seed"] for one in batches}
    return (seed for seed in range(-(-histories // BATCH)) if seed not in finished)


@click.command()
@click.option(
    "--histories",
    type=click.IntRange(1),
    default=1_000_000,
    show_default=True,
    help="How many histories to compare.",
)
@click.option(
    "--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes."
)
def main(histories: int, workers: int) -> None:
    """Compare the history checker with the definition; exit 1 where they differ."""
    version = code()
    batches = done(version)
    left = list(remaining(batches, histories))
    with ProcessPoolExecutor(workers) as pool, _progress() as shown:
        bar = shown.add_task("histories", total=histories, completed=len(batches) * BATCH)
        try:
            for one in pool.map(batch, left):
                batches.append(one)
                save(version, batches)
                shown.advance(bar, BATCH)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            sys.exit("interrupted: what was compared is kept, and the next run goes on from there")
    differ = [text for one in batches for text in one["differ"]]
    click.echo("\n".join(differ[:20]) or f"no disagreement on {len(batches) * BATCH:,} histories")
    sys.exit(1 if differ else 0)


def _progress() -> Progress:
    return Progress("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


if __name__ == "__main__":
    main()
