"""Replay files: a violation on disk, with all it takes to make it happen again."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Finding
from tmem.conformance.files import write
from tmem.conformance.report import words
from tmem.conformance.report.summary import Summary
from tmem.conformance.run.confirm import SECONDS, replays, summed
from tmem.conformance.run.hang import HANG_AFTER
from tmem.conformance.run.heartbeat import HANDSHAKE
from tmem.conformance.run.messages import Job
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.side_by_side import waiting
from tmem.conformance.turn import Engine
from tmem.spec.clauses import CLAIMS, CLAUSES

SCHEMA: Final = "tmem-replay/1"
FOLDER: Final = Path("tmem-replays")
NAMED: Final = 24
"""Characters of a target in the name of its folder, the last ones."""
LEVELS: Final = ("integrity", "linearizable")
"""What overlapping operations must keep, at the least and in full."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay file holds that a run needs; `clause` is what was broken when it was written."""

    target: str
    seed: int
    level: str
    clause: str
    data: dict[str, object]
    rate: tuple[int, int] | None = None
    """How often it failed when it was replayed by the run that found it, and of how many times."""
    words: tuple[str, ...] = ()
    """The violation in words, a line each."""

    @property
    def by_chance(self) -> bool:
        """Whether it failed by chance: not each time when it was written, or by real threads."""
        failed, tries = self.rate or (1, 1)
        return failed < tries or self.data.get("engine") == "stress"


def name(finding: Finding, target: str) -> str:
    """Return the name of a finding's file: its clause, and a few digits of a hash of its target and data."""
    data = json.dumps([target, finding.replay], sort_keys=True).encode()
    return f"{finding.clause}-{hashlib.sha256(data).hexdigest()[:8]}.json"


def of_target(folder: Path, target: str) -> Path:
    """The folder of a target's replay files, in a folder of those of all targets.

    >>> of_target(Path("tmem-replays"), "py:my/store.py:factory").name
    'py-my-store.py-factory-5b3305'
    """
    words = re.sub(r"[^\w.]+", "-", target).strip("-.")
    if len(words) > NAMED:
        words = re.sub(r"^[^-._]*[-._]+", "", words[-NAMED:])
    return folder / f"{words}-{hashlib.sha256(target.encode()).hexdigest()[:6]}"


def save(folder: Path, finding: Finding, summary: Summary) -> Path:
    """Write the replay file of a finding, in its target's folder in `folder`; OSError where it cannot."""
    path = of_target(folder, summary.target) / name(finding, summary.target)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "schema": SCHEMA,
        "target": summary.target,
        "seed": summary.seed,
        "level": summary.level,
        "clause": finding.clause,
        "message": finding.message,
        "allowed": finding.allowed,
        "steps": list(finding.steps),
        "words": {line.about: line.says for line in words.lines(finding, path)},
        "failed": _rate(summary, finding.clause),
        "replay": finding.replay,
    }
    write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def known(folder: Path) -> dict[Path, Replay]:
    """The replay files of a folder and of its targets, by target and name. Other files are left out."""
    found = {}
    for path in (*folder.glob("*.json"), *folder.glob("*/*.json")):
        with suppress(ValueError):
            found[path] = load(path)
    return dict(sorted(found.items(), key=lambda item: (item[1].target, item[0])))


def load(path: Path) -> Replay:
    """Read a replay file. Raises ValueError, with one line, if the file is not one."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no replay file: it is not JSON") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f'{path} is no replay file: it has no "schema": "{SCHEMA}"')
    for key, kind in (("target", str), ("seed", int), ("level", str), ("clause", str), ("replay", dict)):
        if type(content.get(key)) is not kind:
            raise ValueError(f"{path} is no whole replay file: {key!r} is missing or of another type")
    if why := _objection(content["seed"], content["level"], content["clause"]):
        raise ValueError(f"{path} is no replay file of this version: {why}")
    data: dict[str, object] = content["replay"]
    match content.get("failed"):
        case [int(failed), int(tries)]:
            rate: tuple[int, int] | None = (failed, tries)
        case _:
            rate = None
    said = content.get("words")
    told = tuple(f"{about}: {says}" for about, says in said.items()) if isinstance(said, dict) else ()
    return Replay(content["target"], content["seed"], content["level"], content["clause"], data, rate, told)


def _rate(summary: Summary, clause: str) -> list[int] | None:
    confirmed = summary.confirmed.get(clause)
    return None if confirmed is None else [confirmed.failed, confirmed.tries]


def _objection(seed: int, level: str, clause: str) -> str | None:
    if seed < 0:
        return f"'seed' is {seed}, and no run has a seed below 0"
    if level not in LEVELS:
        return f"'level' is {level!r}, not {' or '.join(LEVELS)}"
    if clause not in CLAUSES and clause not in CLAIMS:
        return f"'clause' is {clause!r}, and there is no such clause; tmem explain lists them"
    return None


def again(
    replay: Replay,
    against: str | None = None,
    hang_after: float = HANG_AFTER,
    engines: Sequence[Engine] = ENGINES,
    command: Sequence[str] = COMMAND,
    tries: int = 1,
) -> Generator[Event, None, None]:
    """Run it again, against its target or another: Found where it fails, and Confirmed at the end.

    Raises ValueError, RunError.
    """
    engine = replay.data.get("engine")
    names = [each.name for each in engines]
    if engine != HANDSHAKE and engine not in names:
        raise ValueError(f"it is for the engine {engine!r}, which this version does not have")
    job = Job(
        target=against or replay.target,
        seed=replay.seed,
        engines=() if engine == HANDSHAKE else (str(engine),),
        level=replay.level,
        replay=replay.data,
        tries=tries,
        until=None if tries == 1 else time.monotonic() + 4 * (SECONDS + hang_after),
    )
    yield summed(replay.clause, (yield from waiting(replays(job, engines, hang_after, command))))
