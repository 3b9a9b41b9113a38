"""The program of a violation: its calls are recorded while it is replayed, or its schedule is written."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tmem.conformance import files
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Started
from tmem.conformance.programs.pages import corpus
from tmem.conformance.run.confirm import replays
from tmem.conformance.run.hang import HANG_AFTER
from tmem.conformance.run.messages import Job
from tmem.conformance.run.process import COMMAND
from tmem.conformance.run.replay import Replay
from tmem.conformance.run.side_by_side import waiting
from tmem.conformance.scripts import c_program, python_program, race
from tmem.conformance.scripts.expected import ending
from tmem.conformance.scripts.opening import opening
from tmem.conformance.scripts.recording import Recording, read
from tmem.conformance.turn import Engine

RECORDED: Final = ("volume", "large", "claims")
"""The engines whose replays are calls in sequence."""


@dataclass(frozen=True, slots=True)
class Script:
    """A program, and the end of the name of its file: `py` or `c`."""

    suffix: str
    text: str


def script(
    replay: Replay,
    hang_after: float = HANG_AFTER,
    engines: Sequence[Engine] = ENGINES,
    command: Sequence[str] = COMMAND,
) -> Script:
    """The program of a replay file.

    ValueError, in one line, where there can be none. Raises RunError.
    """
    engine = replay.data.get("engine")
    head = "\n".join((f"{replay.clause}, broken by {replay.target}.", "", *replay.words))
    if engine == "schedules":
        return Script("py", race.text(head, replay.target, replay.data))
    if engine not in RECORDED:
        raise ValueError(f"what the engine {engine!r} found comes by chance; `tmem replay` tries it again")
    page_size, recording = _recorded(replay, hang_after, engines, command)
    if not recording.whole:
        raise ValueError("it makes more calls than a script has room for; `tmem replay` runs it")
    found = ending(recording, page_size, corpus(page_size).scribble)
    if replay.target.startswith("so:"):
        path = Path(replay.target.removeprefix("so:")).resolve()
        return Script("c", c_program.text(head, replay.clause, path, found, page_size))
    opened = opening(replay.target)
    return Script("py", python_program.text(head, replay.clause, opened, found, page_size))


def _recorded(
    replay: Replay, hang_after: float, engines: Sequence[Engine], command: Sequence[str]
) -> tuple[int, Recording]:
    with tempfile.TemporaryDirectory(prefix="tmem-") as folder:
        path = Path(folder) / "calls"
        job = Job(
            target=replay.target,
            seed=replay.seed,
            engines=(str(replay.data["engine"]),),
            level=replay.level,
            replay=replay.data,
            record=str(path),
        )
        page_size, failed = 0, False
        task = waiting(replays(job, engines, hang_after, command))
        while True:
            try:
                event = next(task)
            except StopIteration as stop:
                failed = any(each.clause for each in stop.value)
                break
            if isinstance(event, Started):
                page_size = event.page_size
        if not failed:
            raise ValueError("it did not come again when its calls were to be recorded")
        return page_size, read(path)


def write(recorded: Replay, file: Path, hang_after: float = HANG_AFTER) -> Path:
    """Write the program of a replay file beside it. Raises ValueError, RunError and OSError."""
    made = script(recorded, hang_after)
    path = file.with_suffix(f".{made.suffix}")
    files.write(path, made.text)
    return path
