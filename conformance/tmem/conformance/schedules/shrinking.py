"""Makes a failing (program, schedule) small: threads, operations and preemptions, together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Final

from tmem.conformance.schedules.judge import ATOMIC, Verdict
from tmem.conformance.schedules.program import Program
from tmem.conformance.schedules.room import REGAIN
from tmem.conformance.schedules.run import Run
from tmem.conformance.schedules.search import Search
from tmem.conformance.schedules.smaller import Move, begun_late, moves, renamed, smaller_programs
from tmem.conformance.schedules.strategies import Follow, Schedule
from tmem.conformance.schedules.virtual import MAIN
from tmem.conformance.shrink import LOSS

RUNS: Final = 16_000
"""How many schedules are tried at the most, if they are short."""
LONG: Final = 100
"""Points for which a schedule counts once more: one that livelocks takes as long as hundreds of others."""
AROUND: Final = 300
"""How many schedules of a smaller program are tried where the old one does not fail any more."""
LATE: Final = 2
"""Preemptions that are looked for where threads begin late."""
AROUND_LATE: Final = 1_000
"""How many schedules are tried there: there are few such programs, and they are the smallest."""


class Shrinker:
    """Holds the smallest failure so far; `make` gives the search for a program."""

    def __init__(
        self, make: Callable[[Program], Search], program: Program, run: Run, verdict: Verdict
    ) -> None:
        self.make = make
        self.program = program
        self.schedule: Schedule = run.preemptions
        self.run = run
        self.verdict = verdict
        self.left = RUNS

    def shrink(self) -> None:
        """To where no smaller neighbour fails, or the runs are spent."""
        self._shorten()
        any(self._still(*each) for each in begun_late(self.program, self.run))
        self._follow()
        while self.left > 0 and (self._begin_late() or self._search() or self._fewer_preemptions()):
            self._follow()
        plain, moved = renamed(self.program)
        self._still(plain, moved)

    def _shorten(self) -> None:
        # A livelock is preempted thousands of times, and needs but the first few.
        search, length = self.make(self.program), 1
        while length < len(self.schedule) and not self._fails(search, self.schedule[:length]):
            length *= 2

    def _begin_late(self) -> bool:
        # Of a run most is only how it came to the few operations that race.
        enough = self.left - RUNS // 4
        later = takewhile(lambda _: self.left > enough, begun_late(self.program, self.run))
        return any(self._still(*each, LATE, AROUND_LATE) for each in later)

    def _follow(self) -> None:
        # Whatever still fails under what is left of the schedule.
        smaller = True
        while smaller and self.left > 0:
            smaller = (
                any(self._still(*each) for each in smaller_programs(self.program)) or self._drop_preemptions()
            )

    def _drop_preemptions(self) -> bool:
        search = self.make(self.program)
        size = len(self.schedule)
        while size:
            for start in range(0, len(self.schedule), size):
                if self._fails(search, self.schedule[:start] + self.schedule[start + size :]):
                    return True
            size //= 2
        return False

    def _search(self) -> bool:
        # Whatever still fails under some schedule.
        most = min(preempts(self.schedule), 2)
        return any(self._still(*each, most) for each in smaller_programs(self.program))

    def _fewer_preemptions(self) -> bool:
        return self._anywhere(self.make(self.program), preempts(self.schedule) - 1)

    def _still(self, program: Program, moved: Move, bound: int = -1, most: int = AROUND) -> bool:
        search = self.make(program)
        follows = any(self._fails(search, each) for each in moves(self.schedule, moved))
        if follows or self._anywhere(search, bound, most):
            self.program = program
            return True
        return False

    def _fails(self, search: Search, schedule: Schedule) -> bool:
        return self._kept(search, search.run(Follow(schedule)))

    def _anywhere(self, search: Search, bound: int, most: int = AROUND) -> bool:
        if bound < 0:
            return False
        return any(self._kept(search, run) for run in search.bounded(bound, min(most, max(self.left, 1))))

    def _kept(self, search: Search, run: Run) -> bool:
        self.left -= 1 + run.points // LONG
        verdict = search.verdict(run)
        if verdict is None or family(verdict.clause) != family(self.verdict.clause):
            return False
        self.run, self.verdict, self.schedule = run, verdict, run.preemptions
        return True


def family(clause: str) -> str:
    """What a clause counts as while shrinking: where calls overlap, which of its lives a wrong page is from
    depends on their order, which changes with every operation that goes."""
    if clause in LOSS:
        return "a page is gone"
    return clause if clause in ("TMEM-CONC-3", "TMEM-ERR-1", ATOMIC, REGAIN) else "a wrong page"


def preempts(schedule: Schedule) -> int:
    """How many of a schedule's deviations take a thread off that could go on, about: the first is free."""
    return sum(each.thread != MAIN for each in schedule)
