"""Runs programs on fresh backends, and reports what they show: coverage, the world and violations."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Final

from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.large import story, world
from tmem.conformance.engines.large.pace import Limits
from tmem.conformance.engines.large.perform import Performer
from tmem.conformance.engines.large.phases import Phase, Program
from tmem.conformance.engines.large.shrink import Ran, Shrinker
from tmem.conformance.events import Finding, Found, Progress, World
from tmem.conformance.programs.perform import close
from tmem.conformance.programs.shrink import alike
from tmem.conformance.turn import Turn
from tmem.model import Violation
from tmem.spec.backend import Backend
from tmem.spec.slot import Does

NAME: Final = "large"
"""The name of the engine, on the ring and in replay files."""
SHRINK: Final = 6.0
"""Seconds for the shrinking of a violation, at the speed that was measured."""


class Trials:
    """The programs of one turn. Each violation is reported once, as the smallest program that shows it."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.limits = Limits(turn, waits=False)
        self.cost = 0.0
        """Seconds that an operation takes, once they were measured."""
        self._shrinking = False
        self._found: set[str] = set()
        self._coverage = Coverage()

    def perform(self, program: Program, variant: int) -> tuple[Performer, Ran]:
        """Run a program on a fresh backend, which may hang or die: it is on the ring."""
        backend = self.turn.fresh(variant)
        performer = self.performer(program, backend)
        violation = performer.run()
        raised = close(backend)
        self.turn.ring.rest()
        if raised is not None and violation is None and not performer.stopped:
            last = performer.last()
            violation = Violation(
                "TMEM-ERR-1", f"close raised {raised}.", "to return", performer.ledger.count, *last
            )
        number, turn = performer.at
        return performer, Ran(violation, number, turn, *performer.loops.slot, performer.ledger.count)

    def performer(self, program: Program, backend: Backend) -> Performer:
        """Put a program on the ring, and return its performer, which stops where the time is over.

        Its pools are of kinds that the target offers.
        """
        missing = self.turn.missing
        program = replace(program, pools=tuple(spec.offered(missing) for spec in program.pools))
        self.turn.ring.begin(NAME, json.dumps(program.to_json()).encode())
        return Performer(program, backend, self.turn.ring, self._over, self._watch)

    def judged(self, program: Program, variant: int) -> tuple[Performer, Ran]:
        """Run a program, and report what it covered and what it did to the store."""
        start = time.monotonic()
        performer, ran = self.perform(program, variant)
        ledger = performer.ledger
        self._coverage.seen(ledger, twins=False, changed=False)
        self._coverage.report(self.turn.emit)
        seen = dict(world.seen(performer)) | {"full": ledger.seen["full"]}
        seen["evicted"] = sum(
            count
            for (kind, state, does), count in ledger.transitions.items()
            if does is Does.MISS and state in ("page", "replaced")
        )
        seen["age of a page in seconds"] = int(time.monotonic() - start)
        self.turn.emit(Progress(ran.operations, 1))
        self.turn.emit(World(seen))
        return performer, ran

    def report(self, performer: Performer, ran: Ran, variant: int, program: Program, begin: int = 0) -> None:
        """Shrink a program that broke a clause, from the phase `begin` on, and report the violation."""
        violation = ran.violation
        assert violation is not None
        if any(alike(violation.clause, known) for known in self._found):
            return
        operations = round(SHRINK / self.cost / (1 + len(self._found)))

        def again(candidate: Program) -> Ran:
            return self.perform(candidate, variant)[1]

        self._shrinking = True
        small = Shrinker(program, ran, again, operations).shrink(begin)
        seen, found = self.perform(small, variant)
        self._shrinking = False
        if found.violation is None:
            seen, found = performer, ran
        assert found.violation is not None
        self._found.add(violation.clause)
        self.emit(finding(seen, found.violation, variant))

    def emit(self, found: Finding) -> None:
        """Report a finding."""
        self._found.add(found.clause)
        self.turn.emit(Found(found))

    def _over(self) -> bool:
        return self.turn.over() if self._shrinking else self.limits.reached()

    def _watch(self, performer: Performer, phase: Phase) -> None:
        if found := world.held(performer, phase):
            self.turn.emit(World(dict(found)))
        if phase.count * phase.times >= 4096:
            self.turn.emit(Progress())


def finding(performer: Performer, violation: Violation, variant: int) -> Finding:
    """The finding of a program that ran, with its replay data."""
    data: dict[str, object] = {"engine": NAME, "variant": variant, "program": performer.program.to_json()}
    steps = story.lines(performer, violation)
    return Finding(violation.clause, violation.message, violation.allowed, steps, data, engine=NAME)
