"""Shrinks a failing (program, schedule): threads, operations and preemptions, together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Final

from tmem.conformance.history.exhaustive import ATOMIC, Verdict
from tmem.conformance.programs.shrink import LOSS
from tmem.conformance.schedules.programs.program import Program, number, pool_of, without_pool
from tmem.conformance.schedules.runtime.strategies import Follow, Schedule
from tmem.conformance.schedules.runtime.virtual import MAIN, Preemption
from tmem.conformance.schedules.search.leak import REGAIN
from tmem.conformance.schedules.search.runner import Run
from tmem.conformance.schedules.search.search import Search
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Reclaim,
)

Move = Callable[[Preemption], Preemption | None]
"""Where a preemption went; None where its place or its thread is gone."""


def moves(schedule: Schedule, moved: Move) -> Iterator[Schedule]:
    """What becomes of a schedule: without what is gone; and so that a thread which only went through places
    that are gone is passed over."""
    without = tuple(to for each in schedule if (to := moved(each)) is not None)
    yield without
    kept: list[Preemption] = []
    for each in schedule:
        if moved(each._replace(to=each.thread)) is not None:
            kept.append(each)
        elif kept and kept[-1].to == each.thread:
            kept[-1] = kept[-1]._replace(to=each.to)
    over = tuple(to for each in kept if each.to != each.thread and (to := moved(each)) is not None)
    if over != without:
        yield over


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


def begun_late(program: Program, run: Run) -> Iterator[tuple[Program, Move]]:
    """Programs whose threads begin where so many operations of the run had returned, as late as can be:
    those are done before them, in the order in which they returned."""
    owners, steps = run.script.owners, run.script.steps
    order = [each for each in run.order if max(each, ~each) < len(steps)]  # without questions about flags
    returned = [~each for each in order if each < 0 and owners[~each] != MAIN]
    for count in reversed(range(1, len(returned))):
        done = returned[:count]
        less = [sum(owners[each] == t for each in done) for t in range(len(program.threads))]
        setup = _settled(program, [steps[each].operation for each in done])
        threads = [thread[gone:] for thread, gone in zip(program.threads, less, strict=True)]
        left = [t for t, thread in enumerate(threads) if thread]
        onward = (owners[max(each, ~each)] for each in order[order.index(~done[-1]) + 1 :])
        begins = next((t for t in onward if t in left), left[0])
        yield Program(setup, tuple(threads[t] for t in left)), _late(less, left, begins)


def _settled(program: Program, done: list[Operation]) -> tuple[Operation, ...]:
    """The setup, and these after it. A pool that was made anew in between is as new from the beginning."""
    setup = list(program.setup)
    for operation in done:
        if isinstance(operation, NewPool):
            pool = program.pools.index(operation)
            ended = DestroyPool(operation.client, pool)
            if ended in setup:
                setup = [each for each in setup if pool_of(each) != pool]
        else:
            setup.append(operation)
    return tuple(setup)


def _late(less: list[int], left: list[int], begins: int) -> Move:
    """Threads `left` begin after `less` operations each; the thread `begins` is the first."""
    new = {t: n for n, t in enumerate(left)} | {MAIN: MAIN}

    def moved(each: Preemption) -> Preemption | None:
        if each.thread == MAIN:
            return each._replace(to=new[begins])
        if each.thread not in new or each.to not in new or each.operation < less[each.thread]:
            return None
        return _sooner(each._replace(thread=new[each.thread], to=new[each.to]), less[each.thread])

    return moved


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
        return None if each.operation == gone else _sooner(each, 1)

    return moved


def _sooner(each: Preemption, less: int) -> Preemption | None:
    """In an operation that has so many less before it. Before the first of a thread there is no switch point,
    as there is before all others."""
    point = each.point - bool(less and each.operation == less)
    return each._replace(operation=each.operation - less, point=point) if point else None


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
