"""Runs tasks on all cores, and goes on where earlier work was interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

Key = str
Row = dict[str, Any]
"""A result as JSON data."""


def resume(path: Path) -> dict[Key, Row]:
    """Return the results in the file by key; a line that was cut short is skipped."""
    done: dict[Key, Row] = {}
    if not path.exists():
        return done
    for line in path.read_text("utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        done[entry["key"]] = entry["result"]
    return done


def work(
    tasks: dict[Key, Callable[[], Row]], path: Path, workers: int | None = None
) -> Iterator[tuple[Key, Row]]:
    """Yield the key and the result of every task as it ends, the results of earlier work first.

    Each new result is written to the file before it is yielded, so that an interruption loses nothing.
    """
    done = {key: result for key, result in resume(path).items() if key in tasks}
    yield from done.items()
    path.parent.mkdir(parents=True, exist_ok=True)
    left = [key for key in tasks if key not in done]
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool, path.open("a", encoding="utf-8") as file:
        running = {pool.submit(tasks[key]): key for key in left}
        try:
            for future in as_completed(running):
                key, result = running[future], future.result()
                file.write(json.dumps({"key": key, "result": result}) + "\n")
                file.flush()
                yield key, result
        finally:
            pool.shutdown(cancel_futures=True)
