"""The engine for volume: programs decoded from random bytes, a byte an operation and one for its slot."""

from __future__ import annotations

import random

from tmem.conformance import story
from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.run import Outcome, run
from tmem.conformance.events import Finding, Found, Progress
from tmem.conformance.pages import Corpus, corpus
from tmem.conformance.programs import HEADER, INDEXES, OIDS, Program, decode, from_json
from tmem.conformance.shrink import shrink
from tmem.conformance.trial import Silent, Trial

PROGRAMS = 8_000
"""Programs in a run of scale 1."""
LONGEST = 64
"""Operations in the longest program; the mean is half of it."""
TELL = 100
"""Programs between two reports of progress."""


class Volume:
    """Random programs of a small universe in great number."""

    name = "volume"
    detail = "random programs over awkward handles"
    share = 0.6

    def run(self, trial: Trial) -> None:
        """Run PROGRAMS x scale programs, or until the deadline."""
        backend = trial.fresh(0)
        pages = corpus(backend.page_size)
        backend.close()
        draw = random.Random(f"volume {trial.seed}")
        total = max(1, round(PROGRAMS * trial.scale))
        coverage = Coverage()
        found: set[str] = set()
        operations = programs = 0
        for number in range(total):
            data = draw.randbytes(HEADER + 2 * draw.randrange(4, LONGEST))
            trial.ring.begin(self.name, len(pages.pages).to_bytes(2, "big") + data)
            program = decode(data, len(pages.pages))
            outcome = run(program, trial.fresh(number), pages, trial.ring)
            operations += len(outcome.trace)
            programs += 1
            coverage.program(outcome.judge, twins=_twins(program), changed=program.buffer != 0)
            if outcome.violation is not None and outcome.violation.clause not in found:
                found.add(outcome.violation.clause)
                finding = self._finding(trial, number, program, outcome, pages)
                found.add(finding.clause)
                trial.emit(Found(finding))
            if programs == TELL or number + 1 == total or trial.over():
                trial.emit(Progress(operations, programs, done=(number + 1) / total))
                coverage.tell(trial.emit)
                operations = programs = 0
            if trial.over():
                return

    def _finding(
        self, trial: Trial, variant: int, program: Program, outcome: Outcome, pages: Corpus
    ) -> Finding:
        assert outcome.violation is not None
        first = outcome.violation.clause

        def fails(candidate: Program) -> str | None:
            violation = run(candidate, trial.fresh(variant), pages, trial.ring).violation
            return None if violation is None else violation.clause

        small = shrink(program, first, fails)
        again = run(small, trial.fresh(variant), pages, trial.ring)
        if again.violation is None:  # it came by chance: tell what was seen
            small, again = program, outcome
        violation = again.violation or outcome.violation
        return Finding(
            violation.clause,
            violation.message,
            violation.allowed,
            tuple(story.lines(again.trace, pages)),
            {"engine": self.name, "variant": variant, "program": small.to_json()},
            engine=self.name,
        )

    def steps(self, program: bytes, count: int) -> list[str]:
        """The first `count` steps of a program given to the ring."""
        return story.plan(decode(program[2:], int.from_bytes(program[:2], "big")), count)

    def replay(self, trial: Trial, data: dict[str, object]) -> None:
        """Run the program of a replay file; ValueError where it is none."""
        program, variant = from_json(data.get("program")), data.get("variant", 0)
        if not isinstance(variant, int):
            raise ValueError("the variant of the backend is not a number")
        backend = trial.fresh(variant)
        pages = corpus(backend.page_size)
        outcome = run(program, backend, pages, Silent())
        trial.emit(Progress(len(outcome.trace), 1, done=1.0))
        if outcome.violation is not None:
            trial.emit(Found(self._finding(trial, variant, program, outcome, pages)))


def _twins(program: Program) -> bool:
    words = {oid & (1 << 64) - 1 for oid in OIDS[program.oids]}
    return len(words) < 3 or len({index & 63 for index in INDEXES[program.indexes]}) < 3
