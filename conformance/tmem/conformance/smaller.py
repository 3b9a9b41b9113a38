"""Makes the program that a target hung or died in small, by running parts of it in workers of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tmem.conformance.autopsy import CLAUSE
from tmem.conformance.events import Finding
from tmem.conformance.programs import Program, from_json
from tmem.conformance.shrink import shrink

Again = Callable[[dict[str, object]], Finding | None]
"""Runs replay data in a worker; the finding where the target hangs or dies again."""


def smaller(found: Finding, again: Again, seconds: float) -> Finding | None:
    """A finding with fewer operations than this one; None where none was found within the seconds.

    `again` may be quick to call something a hang: what is told was checked, so check the result.
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
