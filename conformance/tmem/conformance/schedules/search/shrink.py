"""Makes a failing program and its schedule smaller: fewer threads, operations and preemptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Final

from tmem.conformance.history.exhaustive import ATOMIC, Breach
from tmem.conformance.programs.shrink import LOSS
from tmem.conformance.schedules.runtime.strategies import Follow, Schedule
from tmem.conformance.schedules.runtime.virtual import MAIN, Preemption
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.regain import REGAIN
from tmem.conformance.schedules.search.search import Search
from tmem.conformance.schedules.threaded.program import Program, is_whole, number, pool_of, without_pool
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
"""The preemption in the smaller program; None if its place or its thread is gone."""


def moves(schedule: Schedule, moved: Move) -> Iterator[Schedule]:
    """The schedule in the smaller program, without the preemptions that are gone.

    A second schedule follows if that differs: it passes over threads that were switched to only to reach
    places that are gone.
    """
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
    """Every program without one thread or operation, or with one operation moved to the setup; each with
    where the preemptions went."""
    return ((smaller, moved) for smaller, moved in _parts(program) if is_whole(smaller))


def _parts(program: Program) -> Iterator[tuple[Program, Move]]:
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


def begun_late(program: Program, execution: Execution) -> Iterator[tuple[Program, Move]]:
    """Programs whose setup does the first operations that returned in this execution, in that order.

    The programs with the longest setup come first.
    """
    owners, steps = execution.script.owners, execution.script.steps
    order = [each for each in execution.order if max(each, ~each) < len(steps)]  # no questions
    returned = [~each for each in order if each < 0 and owners[~each] != MAIN]
    for count in reversed(range(1, len(returned))):
        done = returned[:count]
        less = [sum(owners[each] == t for each in done) for t in range(len(program.threads))]
        setup = _setup(program, [steps[each].operation for each in done])
        threads = [thread[gone:] for thread, gone in zip(program.threads, less, strict=True)]
        left = [t for t, thread in enumerate(threads) if thread]
        onward = (owners[max(each, ~each)] for each in order[order.index(~done[-1]) + 1 :])
        begins = next((t for t in onward if t in left), left[0])
        yield Program(setup, tuple(threads[t] for t in left)), _late(less, left, begins)


def _setup(program: Program, done: list[Operation]) -> tuple[Operation, ...]:
    """The setup with these operations after it. A pool that they make again is made once, at the start."""
    setup = list(program.setup)
    for operation in done:
        if isinstance(operation, NewPool):
            pool = program.pools.index(operation)
            ended = DestroyPool(operation.client, pool)
            if operation not in setup:
                setup.append(operation)
            elif ended in setup:
                setup = [each for each in setup if pool_of(each) != pool]
        else:
            setup.append(operation)
    return tuple(setup)


def _late(less: list[int], left: list[int], begins: int) -> Move:
    """Each thread lost `less` operations, those in `left` are left, and `begins` runs first."""
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
    """The numbers of later threads fall by one."""

    def moved(each: Preemption) -> Preemption | None:
        if gone in (each.thread, each.to):
            return None
        return each._replace(thread=each.thread - (each.thread > gone), to=each.to - (each.to > gone))

    return moved


def without_operation(thread: int, gone: int) -> Move:
    """The numbers of later operations of the thread fall by one."""

    def moved(each: Preemption) -> Preemption | None:
        if each.thread != thread or each.operation < gone:
            return each
        return None if each.operation == gone else _sooner(each, 1)

    return moved


def _sooner(each: Preemption, less: int) -> Preemption | None:
    """The preemption in an operation that has `less` fewer before it. A thread has no switch point before
    its first operation, and one before each of the others."""
    point = each.point - bool(less and each.operation == less)
    return each._replace(operation=each.operation - less, point=point) if point else None


EXECUTIONS: Final = 16_000
"""Executions at the most, if they are short."""
LONG: Final = 100
"""The points for which an execution counts once more: a livelock takes as long as hundreds of others."""
MOST_SMALLER: Final = 300
"""Schedules that are tried of a smaller program which no longer fails under the old schedule."""
LATE_BOUND: Final = 2
"""Preemptions at the most in the search of a program whose threads begin late."""
MOST_LATE: Final = 1_000
"""Schedules that are tried of such a program: there are few, and they are the smallest."""


class Shrinker:
    """Holds the smallest failure so far. `make` returns the search of a program."""

    def __init__(
        self, make: Callable[[Program], Search], program: Program, execution: Execution, breach: Breach
    ) -> None:
        self.make = make
        self.program = program
        self.schedule: Schedule = execution.preemptions
        self.execution = execution
        self.breach = breach
        self.left = EXECUTIONS

    def shrink(self) -> None:
        """Shrink until no smaller program fails, or the executions are spent."""
        self._shorten()
        any(self._still(*each) for each in begun_late(self.program, self.execution))
        self._follow()
        while self.left > 0 and (self._begin_late() or self._search() or self._fewer_preemptions()):
            self._follow()
        plain, moved = renamed(self.program)
        self._still(plain, moved)

    def _shorten(self) -> None:
        # A livelock has thousands of preemptions, of which the first few suffice.
        search, length = self.make(self.program), 1
        while length < len(self.schedule) and not self._fails(search, self.schedule[:length]):
            length *= 2

    def _begin_late(self) -> bool:
        # Most of an execution only leads up to the few operations that race.
        enough = self.left - EXECUTIONS // 4
        later = takewhile(lambda _: self.left > enough, begun_late(self.program, self.execution))
        return any(self._still(*each, LATE_BOUND, MOST_LATE) for each in later)

    def _follow(self) -> None:
        # Keep what still fails under what is left of the schedule.
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
        # Keep what still fails under any schedule with few preemptions.
        most = min(preemption_count(self.schedule), 2)
        return any(self._still(*each, most) for each in smaller_programs(self.program))

    def _fewer_preemptions(self) -> bool:
        return self._anywhere(self.make(self.program), preemption_count(self.schedule) - 1)

    def _still(self, program: Program, moved: Move, bound: int = -1, most: int = MOST_SMALLER) -> bool:
        search = self.make(program)
        follows = any(self._fails(search, each) for each in moves(self.schedule, moved))
        if follows or self._anywhere(search, bound, most):
            self.program = program
            return True
        return False

    def _fails(self, search: Search, schedule: Schedule) -> bool:
        return self._kept(search, search.execute(Follow(schedule)))

    def _anywhere(self, search: Search, bound: int, most: int = MOST_SMALLER) -> bool:
        if bound < 0:
            return False
        return any(
            self._kept(search, execution) for execution in search.bounded(bound, min(most, max(self.left, 1)))
        )

    def _kept(self, search: Search, execution: Execution) -> bool:
        self.left -= 1 + execution.points // LONG
        breach = search.breach(execution)
        if breach is None or family(breach.clause) != family(self.breach.clause):
            return False
        self.execution, self.breach, self.schedule = execution, breach, execution.preemptions
        return True


def family(clause: str) -> str:
    """The kind of violation that shrinking keeps.

    Which clause a wrong page breaks depends on the order of the calls, which changes as operations go.
    """
    if clause in LOSS:
        return "a page is gone"
    return clause if clause in ("TMEM-CONC-3", "TMEM-ERR-1", ATOMIC, REGAIN) else "a wrong page"


def preemption_count(schedule: Schedule) -> int:
    """About how many deviations of a schedule preempt a thread that could go on: the first does not."""
    return sum(each.thread != MAIN for each in schedule)
