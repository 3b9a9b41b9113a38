"""Executes one program on fresh backends, under one schedule after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from greenlet import GreenletExit

from tmem.conformance.schedules.runtime import modules
from tmem.conformance.schedules.runtime.load import Level
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import Mark, Strategy, Stuck
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.regain import lost_room
from tmem.conformance.schedules.search.script import Step, script
from tmem.conformance.schedules.threaded.program import Program
from tmem.spec.operations import DestroyPool, FlushObject, Raised, Reclaim

LIMIT: Final = 10_000
"""Switch points at which a strategy may decide. Threads that go on for as long again in turns livelock."""
UNMADE: Final = 10_000
"""Ids for pools that could not be made, from this one on: no backend has as many pools."""


@dataclass(frozen=True, slots=True)
class Backends:
    """Makes fresh backends whose threads are virtual, with switch points at a level.

    A backend that claims to regain its room has room for the pages of `fill` in a persistent pool.
    `real_threads` says whether threads of the system carry the virtual ones.
    """

    make: Callable[[], Any]
    level: Level
    fill: tuple[bytes, ...] = ()
    real_threads: bool = False


class Executor:
    """Executes one program, as often as it is asked to."""

    def __init__(self, backends: Backends, program: Program, page_size: int) -> None:
        self.backends = backends
        self.program = program
        self.script = script(program, page_size)
        self.pools = len(program.pools)
        self.names = thread_names(program)
        together = [operation for thread in program.threads for operation in thread]
        self.flushes = any(isinstance(each, FlushObject) for each in together)
        self.ends = any(isinstance(each, DestroyPool) for each in together)

    def execute(
        self, strategy: Strategy, *, segments: bool = False, trace: bool = False, room: bool = True
    ) -> Execution:
        """Make a backend, run the setup, then the threads as the strategy decides, then the last steps.

        With `room`, see whether the backend has regained the room that it claims to regain.
        """
        order: list[int] = []
        count = len(self.script.steps)
        execution = Execution(self.script, order, [None] * count, [None] * count)
        scheduler.release_points = self.backends.level == "lock"
        modules.reseed()
        real = self.backends.real_threads
        scheduler.begin(strategy, LIMIT, record=segments, trace=trace, real_threads=real)
        try:
            self._stages(execution, room)
        except Stuck as failure:
            execution.failure = failure
        finally:
            execution.preemptions = tuple(scheduler.preemptions)
            execution.points = scheduler.steps
            execution.names = tuple(thread.name for thread in scheduler.threads)
            execution.segments, execution.trace = scheduler.segments, scheduler.trace
            crashes = scheduler.crashes
            execution.crashes = tuple(f"{t.name} ended with {type(e).__name__}: {e}" for t, e in crashes)
            scheduler.trace = None  # what threads do while they are ended is no part of the execution
            scheduler.end()
        return execution

    def _stages(self, execution: Execution, room: bool) -> None:
        backend = self.backends.make()
        ids = [UNMADE + n for n in range(self.pools)]
        steps = self.script
        self._performer(backend, ids, execution, 0, steps.setup)()
        first = len(steps.setup)
        for name, thread in zip(self.names, steps.threads, strict=True):
            scheduler.spawn(self._performer(backend, ids, execution, first, thread), name, background=False)
            first += len(thread)
        scheduler.release()
        self._performer(backend, ids, execution, first, steps.last)()
        if room and self.backends.fill and len(scheduler.threads) == len(steps.threads):
            # A thread of the target's own may be about to give room back.
            execution.leak = lost_room(backend, execution.pools(), self.backends.fill)
        try:
            backend.close()
        except Exception:
            return  # the sequential checks report what close may not raise

    def _performer(
        self, backend: Any, ids: list[int], execution: Execution, first: int, steps: tuple[Step, ...]
    ) -> Callable[[], None]:
        order, answers, used = execution.order, execution.answers, execution.ids
        numbers, questions = self.script.numbers, self.script.questions
        pool_flags = getattr(backend, "pool_flags", None)

        def perform() -> None:
            number = 0
            trace = scheduler.trace
            for number, step in enumerate(steps):
                n = first + number
                asks = None
                scheduler.begin_operation(number)
                order.append(n)
                if trace is not None:
                    trace.append(Mark("begin", scheduler.current.index, n))
                pool = step.pool
                answer: Any
                try:
                    if pool is None:
                        answer = getattr(backend, step.method)(*step.rest)
                    elif step.method == "new_pool":
                        answer = backend.new_pool(step.client, *step.rest)
                        if type(answer) is int:
                            used[n] = ids[pool] = answer
                            asks = pool_flags
                    else:
                        used[n] = id = ids[pool]
                        answer = getattr(backend, step.method)(step.client, id, *step.rest)
                        if type(answer) is bytes:
                            answer = numbers[answer]
                except (Stuck, GreenletExit):
                    raise
                except BaseException as error:  # SystemExit of a target is its answer
                    answer = Raised.of(error)
                answers[n] = answer
                order.append(~n)
                if trace is not None:
                    trace.append(Mark("end", scheduler.current.index, n))
                if asks is None:
                    continue
                question = n + questions
                order.append(question)
                if trace is not None:
                    trace.append(Mark("begin", scheduler.current.index, question))
                try:
                    execution.flags[question] = asks(step.client, used[n])
                except (Stuck, GreenletExit):
                    raise
                except BaseException as error:
                    execution.flags[question] = Raised.of(error)
                order.append(~question)
                if trace is not None:
                    trace.append(Mark("end", scheduler.current.index, question))

        return perform


def thread_names(program: Program) -> tuple[str, ...]:
    """The names of the threads of a program."""
    only = [bool(thread) and all(isinstance(each, Reclaim) for each in thread) for thread in program.threads]
    return tuple("reclaimer" if only[n] and sum(only) == 1 else f"thread {n + 1}" for n in range(len(only)))
