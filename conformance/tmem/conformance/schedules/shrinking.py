"""Makes a failing (program, schedule) small: threads, operations and preemptions, together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from tmem.conformance.schedules.judge import ATOMIC, Verdict
from tmem.conformance.schedules.program import Program, number, without_pool
from tmem.conformance.schedules.room import REGAIN
from tmem.conformance.schedules.run import Run
from tmem.conformance.schedules.search import Search
from tmem.conformance.schedules.strategies import Follow, Schedule
from tmem.conformance.schedules.virtual import MAIN, Preemption
from tmem.conformance.shrink import LOSS
from tmem.spec.handle import Handle
from tmem.spec.operations import FlushObject, FlushPage, Get, NewPool, Operation, Put, Reclaim

RUNS: Final = 8_000
"""How many schedules are tried at the most, if they are short."""
LONG: Final = 100
"""Points for which a schedule counts once more: one that livelocks takes as long as hundreds of others."""
AROUND: Final = 300
"""How many schedules of a smaller program are tried where the old one does not fail any more."""


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
        self._follow()
        while self.left > 0 and (self._search() or self._fewer_preemptions()):
            self._follow()
        plain, moved = renamed(self.program)
        self._still(plain, moved)

    def _shorten(self) -> None:
        # A livelock is preempted thousands of times, and needs but the first few.
        search, length = self.make(self.program), 1
        while length < len(self.schedule) and not self._fails(search, self.schedule[:length]):
            length *= 2

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

    def _still(self, program: Program, moved: Move, bound: int = -1) -> bool:
        search = self.make(program)
        schedule = tuple(to for each in self.schedule if (to := moved(each)) is not None)
        if self._fails(search, schedule) or self._anywhere(search, bound):
            self.program = program
            return True
        return False

    def _fails(self, search: Search, schedule: Schedule) -> bool:
        return self._kept(search, search.run(Follow(schedule)))

    def _anywhere(self, search: Search, bound: int) -> bool:
        if bound < 0:
            return False
        return any(self._kept(search, run) for run in search.bounded(bound, min(AROUND, max(self.left, 1))))

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


Move = Callable[[Preemption], Preemption | None]


def smaller_programs(program: Program) -> Iterator[tuple[Program, Move]]:
    """Every program that lacks a thread or an operation of this one, or does one before its threads begin;
    and where the preemptions went."""
    threads = program.threads
    for t in range(len(threads)):
        if len(threads) > 1:
            yield Program(program.setup, threads[:t] + threads[t + 1 :]), without_thread(t)
    for t, thread in enumerate(threads):
        for n in reversed(range(len(thread))):
            kept = (*threads[:t], thread[:n] + thread[n + 1 :], *threads[t + 1 :])
            yield Program(program.setup, kept), without_operation(t, n)
    for t, thread in enumerate(threads):
        if len(thread) > 1 and not isinstance(thread[0], NewPool):
            kept = (*threads[:t], thread[1:], *threads[t + 1 :])
            yield Program((*program.setup, thread[0]), kept), without_operation(t, 0)
    for n, operation in enumerate(program.setup):
        if isinstance(operation, NewPool):
            less = without_pool(program, operation)
        else:
            less = Program(program.setup[:n] + program.setup[n + 1 :], threads)
        if less is not None:
            yield less, lambda each: each


def renamed(program: Program) -> tuple[Program, Move]:
    """The program with the simplest clients, objects, indexes and pages."""
    clients: dict[int, int] = {}
    oids: dict[int, int] = {}
    indexes: dict[int, int] = {}
    pages: dict[bytes, bytes] = {}

    def plain(operation: Operation) -> Operation:
        if isinstance(operation, Reclaim):
            return operation
        client = clients.setdefault(operation.client, len(clients) + 1)
        match operation:
            case Put(handle=h, page=p):
                page = pages.setdefault(p, number(len(pages) + 1))
                return Put(client, slot(h), page)
            case Get(handle=h) | FlushPage(handle=h):
                return type(operation)(client, slot(h))
            case FlushObject(pool=pool, oid=oid):
                return FlushObject(client, pool, oids.setdefault(oid, len(oids) + 7))
            case _:
                return replace(operation, client=client)

    def slot(h: Handle) -> Handle:
        oid = oids.setdefault(h.oid, len(oids) + 7)
        return Handle(h.pool, oid, indexes.setdefault(h.index, len(indexes)))

    setup = tuple(map(plain, program.setup))
    return Program(setup, tuple(tuple(map(plain, thread)) for thread in program.threads)), lambda each: each


def without_thread(gone: int) -> Move:
    """Threads after it move up."""

    def moved(each: Preemption) -> Preemption | None:
        if gone in (each.thread, each.to):
            return None
        return each._replace(thread=each.thread - (each.thread > gone), to=each.to - (each.to > gone))

    return moved


def without_operation(thread: int, gone: int) -> Move:
    """Later operations of its thread move up."""

    def moved(each: Preemption) -> Preemption | None:
        if each.thread != thread or each.operation < gone:
            return each
        return None if each.operation == gone else each._replace(operation=each.operation - 1)

    return moved
