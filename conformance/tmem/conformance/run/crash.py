"""A worker that hung or died under its target: the finding of TMEM-CONC-3, and how its program is shrunk."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tmem.conformance.events import Finding
from tmem.conformance.programs.program import Program, from_json
from tmem.conformance.programs.shrink import shrink
from tmem.conformance.run.heartbeat import HANDSHAKE, Doing, UnderWay
from tmem.conformance.schedules.native.crashes import readable
from tmem.conformance.turn import Engine

CLAUSE: Final = "TMEM-CONC-3"
ALLOWED: Final = "every operation returns, whatever the others and the reclaimer do"
LINES: Final = 60
"""The most lines of stacks that are reported."""
PRINTED: Final = 24
"""Lines of what the target printed that are reported, the last ones."""
OURS: Final = str(Path(__file__).parents[1])
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker hung or died, as a predicate (`how`), and what it was doing."""

    how: str
    hung: bool
    under_way: UnderWay
    stacks: str
    output: str


def cause(exit_code: int) -> str:
    """How a process ended, as a predicate.

    >>> cause(-11), cause(3)
    ('ends the process by SIGSEGV', 'ends the process with exit code 3')
    >>> cause(-9)
    'ends the process by SIGKILL (sent by hand, or because memory ran out)'
    """
    if exit_code >= 0:
        return f"ends the process with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    more = " (sent by hand, or because memory ran out)" if name == "SIGKILL" else ""
    return f"ends the process by {name}{more}"


def finding(death: Death, engine: Engine | None) -> Finding:
    """Return the finding; `engine` names the steps of the program that was running."""
    under_way = death.under_way
    steps = _steps(under_way, engine)
    call = steps[-1] if steps else "an operation"
    if under_way.doing is Doing.MAKING:
        call = "making the next backend"
    elif under_way.doing is Doing.RESTING:
        call = "the target, between two operations,"
    return Finding(
        CLAUSE,
        f"{call} {death.how}.",
        ALLOWED,
        (*steps[:-1], f"{call} → {death.how}") if steps else (f"{call} → {death.how}",),
        _recalled(under_way, engine),
        _picture(death),
        under_way.engine,
        places=_places(death),
    )


def _steps(under_way: UnderWay, engine: Engine | None) -> list[str]:
    if under_way.engine == HANDSHAKE:
        return [under_way.program.decode(errors="replace")]
    if engine is None or not under_way.program:
        return []
    try:
        return engine.steps(under_way.program, under_way.step + 1)
    except Exception:  # the target may have written over the ring
        return ["(operations that can no longer be read)"]


def _recalled(under_way: UnderWay, engine: Engine | None) -> dict[str, object]:
    data: dict[str, object] = {"engine": under_way.engine, "variant": under_way.variant}
    if engine is None or not under_way.program:
        return data
    try:
        return engine.recall(under_way.program, under_way.variant)
    except Exception:  # the target may have written over the ring
        return data


def _picture(death: Death) -> str:
    parts = []
    if stacks := _readable(death.stacks):
        parts.append("Where its threads were (most recent call first):\n" + stacks)
    if output := death.output.strip():
        parts.append("The end of what it printed:\n" + "\n".join(output.splitlines()[-PRINTED:]))
    return "\n\n".join(parts)


def _places(death: Death) -> tuple[str, ...]:
    """Where the innermost call of each thread was, by its stack."""
    found: dict[str, None] = {}
    inner = True
    for line in _readable(death.stacks).splitlines():
        frame = _FRAME.match(line)
        if frame is None:
            inner = True
        elif inner:
            inner = False
            found[f"{frame['file']}:{frame['line']}"] = None
    return tuple(found)


def _readable(stacks: str) -> str:
    """Return the stacks down to where the suite called the target: the frames below are always the same."""
    kept = []
    ours = False
    for line in readable(stacks.splitlines()):
        frame = _FRAME.match(line)
        ours = frame is not None and (ours or frame["file"].startswith(OURS))
        if not ours and not line.startswith("Extension modules:"):
            kept.append(line)
    return "\n".join(kept[:LINES]).strip()


Again = Callable[[dict[str, object]], Finding | None]
"""Runs replay data in a worker. Returns the finding if the target hangs or dies again, else None."""


def smaller(found: Finding, again: Again, seconds: float) -> Finding | None:
    """Return a finding with fewer operations than this one, or None if there was none within the seconds.

    `again` may wait for a short time only before it reports a hang, so check the result before reporting it.
    """
    until = time.monotonic() + seconds
    best = None

    def fails(candidate: Program) -> str | None:
        nonlocal best
        if time.monotonic() > until:
            return None
        died = again(found.replay | {"program": candidate.to_json()})
        best = died or best
        return None if died is None else CLAUSE

    try:
        program = from_json(found.replay.get("program"))
    except ValueError:  # the data is not that of a program
        return None
    shrink(replace(program, steps=program.steps[: len(found.steps)]), CLAUSE, fails)
    return best
