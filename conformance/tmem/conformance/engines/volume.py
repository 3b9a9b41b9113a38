"""The engine for volume: programs decoded from random bytes, two bytes for each operation."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.timeline import timeline
from tmem.conformance.events import Finding, Found, Progress, Seen
from tmem.conformance.programs import transcript
from tmem.conformance.programs.pages import Corpus, corpus
from tmem.conformance.programs.program import HEADER, REPEATS, USED, Heuristics, Program, decode, from_json
from tmem.conformance.programs.runner import Outcome, run, twins
from tmem.conformance.programs.shrink import shrink
from tmem.conformance.turn import Turn

PROGRAMS = 6_500
"""Programs in a run of scale 1."""
LONGEST = 64
"""Operations in the longest program; the mean is half of it."""
TELL = 100
"""Programs between two reports of progress."""


class Volume:
    """Runs a great number of random programs, each over a small universe."""

    name = "volume"
    detail = "random programs over awkward handles"
    share = 0.16

    def run(self, turn: Turn) -> None:
        """Run PROGRAMS x scale programs, or until the deadline."""
        pages = corpus(turn.page_size, turn.seed)
        total = max(1, round(PROGRAMS * turn.scale))
        coverage = Coverage()
        found: set[str] = set()
        operations = programs = 0
        begun = round(turn.done * total)
        for number, program, outcome in outcomes(turn, f"volume {turn.seed}", total, begun):
            operations += len(outcome.trace)
            programs += 1
            coverage.program(outcome.judge, twins=twins(program), changed=program.buffer != 0)
            if outcome.violation is not None and outcome.violation.clause not in found:
                found.add(outcome.violation.clause)
                turn.emit(Seen(as_seen(self.name, number, program, outcome, pages)))
                smallest = finding(turn, number, program, outcome, pages)
                found.add(smallest.clause)
                turn.emit(Found(smallest))
            if programs == TELL or number + 1 == total or turn.over():
                turn.emit(Progress(operations, programs, done=(number + 1) / total))
                coverage.report(turn.emit)
                operations = programs = 0

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to the ring."""
        return transcript.plan(_begun(program), count)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a program given to the ring."""
        return {"engine": self.name, "variant": variant, "program": _begun(program).to_json()}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Run the program of a replay file. Raises ValueError if the data is not a program."""
        program, variant = from_json(data.get("program")), data.get("variant", 0)
        if not isinstance(variant, int):
            raise ValueError("the variant of the backend is not a number")
        pages = corpus(turn.page_size, turn.seed)
        outcome = _again(turn, program, variant, pages)
        turn.emit(Progress(len(outcome.trace), 1, done=1.0))
        if outcome.violation is not None:
            turn.emit(Found(finding(turn, variant, program, outcome, pages)))


def outcomes(
    turn: Turn, seed: str, total: int, begun: int = 0, using: Heuristics = USED
) -> Iterator[tuple[int, Program, Outcome]]:
    """Run `total` random programs, each on a fresh backend, and yield their outcomes. Stops at the deadline.

    The first `begun` are skipped, since an earlier turn ran them. The last sixteenth of them put two pages
    again and again. These find violations that the others cannot, but blame the right clause less reliably.
    """
    pages = corpus(turn.page_size, turn.seed)
    draw = random.Random(seed)
    families = draw.randbytes(2)
    for number in range(total):
        data = families + draw.randbytes(HEADER - len(families) + 2 * draw.randrange(4, LONGEST))
        if 16 * number >= 15 * total:
            data = data[: HEADER - 1] + bytes([REPEATS]) + data[HEADER:]
        if number < begun:
            continue
        turn.ring.begin(Volume.name, len(pages.pages).to_bytes(2, "big") + data)
        program = decode(data, len(pages.pages), using)
        yield number, program, run(program, turn.fresh(number), pages, turn.ring)
        if turn.over():
            return


def as_seen(engine: str, variant: int, program: Program, outcome: Outcome, pages: Corpus) -> Finding:
    """Return the violation that ended a program, as a finding that is not shrunk."""
    violation = outcome.violation
    assert violation is not None
    return Finding(
        violation.clause,
        violation.message,
        violation.allowed,
        tuple(transcript.lines(outcome.trace, pages)),
        {"engine": Volume.name, "variant": variant, "program": program.to_json()},
        engine=engine,
        timeline=timeline(outcome.trace, pages),
    )


def finding(turn: Turn, variant: int, program: Program, outcome: Outcome, pages: Corpus) -> Finding:
    """Shrink a program that broke the contract. If it does not fail again, report it as it was first seen."""
    seen = outcome.violation
    assert seen is not None

    def fails(candidate: Program) -> str | None:
        if turn.over():
            return None
        violation = _again(turn, candidate, variant, pages).violation
        return None if violation is None else violation.clause

    small = shrink(program, seen.clause, fails)
    again = _again(turn, small, variant, pages)
    if again.violation is None:
        small, again = program, outcome
    return as_seen(Volume.name, variant, small, again, pages)


def _again(turn: Turn, program: Program, variant: int, pages: Corpus) -> Outcome:
    # The target may hang or crash in any run, so each program is written to the ring.
    turn.ring.begin(Volume.name, json.dumps(program.to_json()).encode())
    return run(program, turn.fresh(variant), pages, turn.ring)


def _begun(data: bytes) -> Program:
    if data[:1] == b"{":
        return from_json(json.loads(data))
    return decode(data[2:], int.from_bytes(data[:2], "big"))
