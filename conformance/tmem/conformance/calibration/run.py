"""Does the work of `tmem calibrate`, resumed where it was interrupted, and writes the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import tmem
from tmem.conformance.calibration import gains, gains_table
from tmem.conformance.calibration.accept import Accepted, accept
from tmem.conformance.calibration.accept_table import accept_table
from tmem.conformance.calibration.choose_canaries import worst
from tmem.conformance.calibration.gains import Noticed
from tmem.conformance.calibration.kill import Kill, kill
from tmem.conformance.calibration.kill_table import breadth, kill_table
from tmem.conformance.calibration.page import markdown
from tmem.conformance.calibration.work import Row, work
from tmem.conformance.faults import FAULTS
from tmem.conformance.files import write as write_file

SHRUNK: Final = 2
"""Seeds on which counterexamples are shrunk, which takes longer than most kills."""

KILL: Final = "kill.json"
ACCEPT: Final = "accept.json"
GAINS: Final = "gains.json"
"""Files of results."""
Progress = Callable[[int, int], None]
"""Called with the number of finished tasks and the number of all tasks."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What to measure: `faults` on `seeds` seeds, and `backends` that conform for `operations` each."""

    target: str = "impl"
    faults: tuple[str, ...] = tuple(FAULTS)
    seeds: int = 20
    backends: int = 1_000
    operations: int = 100_000


@dataclass(slots=True)
class Outcome:
    """The results of a calibration."""

    kills: list[Kill]
    accepted: list[Accepted]

    @property
    def good(self) -> bool:
        """Whether every fault was killed on every seed and no conforming backend raised an alarm."""
        return all(each.killed for each in self.kills) and not any(each.alarms for each in self.accepted)


def _kill(target: str, fault: str, seed: int) -> Row:
    return asdict(kill(target, fault, seed, small=seed < SHRUNK))


def _accept(seed: int, operations: int) -> Row:
    return asdict(accept(seed, operations))


def _look(target: str, method: str, fault: str, seed: int) -> Row:
    return asdict(gains.look(target, method, fault, seed))


@cache
def _code() -> str:
    """Return a digest of tmem's modules, so that results of other versions are not resumed."""
    digest = sha256()
    for path in sorted(path for folder in tmem.__path__ for path in Path(folder).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def calibrate(calibration: Calibration, folder: Path, progress: Progress) -> Outcome:
    """Do the work of the calibration and call `progress` after each task.

    Results are kept in `folder`, so that a second call goes on where the first was interrupted, unless tmem
    has changed since. The caller must clear the folder when a target that is not part of tmem changes.
    """
    tasks: dict[str, Callable[[], Row]] = {
        f"kill {calibration.target} {fault} {seed} [{_code()}]": partial(
            _kill, calibration.target, fault, seed
        )
        for fault in calibration.faults
        for seed in range(calibration.seeds)
    }
    tasks |= {
        f"accept {seed} {calibration.operations} [{_code()}]": partial(_accept, seed, calibration.operations)
        for seed in range(calibration.backends)
    }
    outcome = Outcome([], [])
    for count, (key, result) in enumerate(work(tasks, folder / "calibration.jsonl")):
        if key.startswith("kill "):
            outcome.kills.append(Kill(**result))
        else:
            outcome.accepted.append(Accepted.from_json(result))
        progress(count + 1, len(tasks))
    outcome.kills.sort(key=lambda each: (each.fault, each.seed))
    outcome.accepted.sort(key=lambda each: each.seed)
    return outcome


def write(
    calibration: Calibration, outcome: Outcome, results: Path, page: Path, canaries: Path | None
) -> Iterator[Path]:
    """Write the tables as JSON and Markdown, and the file for canaries; yield each path once written."""
    table = kill_table(outcome.kills)
    killed = {
        "target": calibration.target,
        "arguments": {
            "seeds": calibration.seeds,
            "backends": calibration.backends,
            "operations": calibration.operations,
        },
        "faults": table,
        "clauses": breadth(outcome.kills),
    }
    yield _json(results / KILL, killed)
    yield _json(results / ACCEPT, accept_table(outcome.accepted))
    if canaries is not None:
        yield _json(canaries, worst(table, (each.faults for each in outcome.accepted)))
    yield _page(results, page)


def measure(
    target: str, faults: Collection[str], seeds: int, folder: Path, progress: Progress
) -> list[Noticed]:
    """Look for the faults by every method that `gains` compares; results are kept as in `calibrate`."""
    tasks: dict[str, Callable[[], Row]] = {
        f"look {target} {method} {fault} {seed} [{_code()}]": partial(_look, target, method, fault, seed)
        for seed in range(seeds)
        for method in gains.METHODS
        for fault in gains.sought(method)
        if fault in faults and (seed < gains.RACES or method in gains.IN_VOLUME)
    }
    found = []
    for count, (_, result) in enumerate(work(tasks, folder / "gains.jsonl")):
        found.append(Noticed(**result))
        progress(count + 1, len(tasks))
    return found


def write_gains(target: str, seeds: int, found: list[Noticed], results: Path, page: Path) -> Iterator[Path]:
    """Write what heuristics gain as JSON, and the page; yield each path once written."""
    yield _json(results / GAINS, {"target": target, "seeds": seeds, "heuristics": gains.gains(found)})
    yield _page(results, page)


def text(results: Path) -> str:
    """Return the page in Markdown, from the results that exist."""
    parts = []
    if (results / KILL).exists():
        parts.append(markdown(_read(results / KILL), _read(results / ACCEPT)))
    if (results / GAINS).exists():
        gained = _read(results / GAINS)
        parts.append(gains_table.markdown(gained["target"], gained["seeds"], gained["heuristics"]))
    return "\n".join(parts)


def _page(results: Path, page: Path) -> Path:
    page.parent.mkdir(parents=True, exist_ok=True)
    write_file(page, text(results))
    return page


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _json(path: Path, data: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return path
