"""One program under one schedule: what came back, in which order calls began and returned."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.programs.program import Program, pool_of, with_pool
from tmem.conformance.schedules.runtime import modules
from tmem.conformance.schedules.runtime.instrument import Level
from tmem.conformance.schedules.runtime.scheduler import control
from tmem.conformance.schedules.runtime.virtual import MAIN, Mark, Preemption, Segment, Strategy, Stuck
from tmem.conformance.schedules.search.leak import leaked
from tmem.spec.abi.flags import PAGE_SIZE_SHIFT, page_size_nibble
from tmem.spec.history import Call
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
    flat,
)

LIMIT: Final = 10_000
"""Switch points that a strategy may decide; what goes on for as long again in turns is a livelock."""
STRANGE: Final = 0x8000
"""The first number of a page that nobody put."""
UNMADE: Final = 10_000
"""The id of a pool that could not be made, and of those after it: no backend has so many."""


@dataclass(frozen=True, slots=True)
class Target:
    """Makes fresh backends whose threads are virtual, with switch points at a level.

    `fill` are the pages of a persistent pool that a fresh one has room for, where it claims to regain that.
    """

    make: Callable[[], Any]
    level: Level
    fill: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, ready to be called: the pool number and what else it is called with."""

    operation: Operation
    method: str
    client: int | None
    pool: int | None
    rest: tuple[Any, ...]


class Numbers(dict[bytes, bytes]):
    """The numbers of pages, two bytes each: those of the corpus, and from STRANGE on those that came back
    and are no page of it."""

    def __init__(self, pages: Sequence[bytes]) -> None:
        super().__init__((page, n.to_bytes(2, "big")) for n, page in enumerate(pages))
        self.pages = {number: page for page, number in self.items()}
        self.known = len(pages)
        self.size = len(pages[0])

    def __missing__(self, page: bytes) -> bytes:
        if len(page) != self.size:
            return page
        number = (STRANGE + len(self) - self.known).to_bytes(2, "big")
        self[page], self.pages[number] = number, page
        return number


@dataclass(frozen=True, slots=True)
class Script:
    """A program as steps: those before, those of each thread, and those after, which read every slot.

    `owners` says, by step, which thread takes it.
    """

    setup: tuple[Step, ...]
    threads: tuple[tuple[Step, ...], ...]
    last: tuple[Step, ...]
    steps: tuple[Step, ...]
    owners: tuple[int, ...]
    numbers: Numbers
    called: dict[tuple[int, int | None], Operation] = field(default_factory=dict)
    """Operations as they were called, by step and pool id: few differ from run to run."""


@dataclass(slots=True)
class Run:
    """What a schedule of a program came to. `order` holds n where step n began and ~n where it returned.

    A backend that tells the flags of a pool is asked after each new pool: such a question counts as the step
    `questions` after that of the new pool.
    """

    script: Script
    order: list[int]
    answers: list[Answer]
    ids: list[int | None]
    """The pool id that each step was called with (or answered, for new pool)."""
    told: dict[int, Answer] = field(default_factory=dict)
    """What questions about flags were answered, by the step that they count as."""
    names: tuple[str, ...] = ()
    """What the threads are called, those of the target last."""
    preemptions: tuple[Preemption, ...] = ()
    points: int = 0
    failure: Stuck | None = None
    crashes: tuple[str, ...] = ()
    leak: str = ""
    """What is wrong with the room that is left, where that was looked at."""
    segments: list[Segment] | None = None
    trace: list[Mark] | None = None

    @property
    def key(self) -> Hashable:
        """Equal for runs whose histories are the same: what ended before what began, and the answers; None
        where an answer cannot be hashed."""
        order: list[int] = []
        turn: list[int] = []
        begun = True
        for each in self.order:
            if (each >= 0) is not begun:
                turn.sort()
                order += turn
                turn, begun = [], not begun
            turn.append(each)
        try:
            told = tuple(self.told.items())
            key = (tuple(order), tuple(self.answers), tuple(map(type, self.answers)), tuple(self.ids), told)
            hash(key)
        except TypeError:
            return None
        return key

    def calls(self) -> list[Call]:
        """The history, pools by their ids and pages by their numbers, in the order of invocation."""
        times = {each: time for time, each in enumerate(self.order)}
        called = sorted((time, n) for n, time in times.items() if n >= 0)
        return [Call(self.operation(n), self.answer(n), begin, times.get(~n)) for begin, n in called]

    @property
    def began(self) -> list[int]:
        """The steps of the program in the order in which they began: questions are none."""
        return [n for n in self.order if 0 <= n < self.questions]

    @property
    def questions(self) -> int:
        """The step that a question counts as, less the step of its new pool."""
        return len(self.script.steps)

    def answer(self, n: int) -> Answer:
        """What a step, or a question, was answered."""
        return self.answers[n] if n < self.questions else self.told[n]

    def content(self, number: bytes) -> bytes:
        """The page that a number stands for."""
        return self.script.numbers.pages[number]

    def operation(self, n: int) -> Operation:
        """The operation of a step as it was called, with the pool's id."""
        id = self.ids[n if n < self.questions else n - self.questions]
        called = self.script.called.get((n, id))
        if called is None:
            called = self.script.called[n, id] = self._called(n, id or 0)
        return called

    def _called(self, n: int, id: int) -> Operation:
        if n < self.questions:
            return with_pool(self.script.steps[n].operation, id)
        new = self.script.steps[n - self.questions].operation
        assert isinstance(new, NewPool)
        return PoolFlags(new.client, id)


def _pools(run: Run) -> list[tuple[int, int]]:
    # Every pool that was made, by client and id.
    steps = zip(run.script.steps, run.ids, strict=True)
    made = [(step.client, id) for step, id in steps if step.method == "new_pool"]
    return [(client, id) for client, id in made if client is not None and id is not None]


class Runner:
    """Runs one program on fresh backends, as often as one likes."""

    def __init__(self, target: Target, program: Program, page_size: int) -> None:
        self.target = target
        self.program = program
        self.pages = corpus(page_size).pages
        self.numbers = Numbers(self.pages)
        self.pools = {pool: n for n, pool in reversed(list(enumerate(program.pools)))}
        self.size_bits = page_size_nibble(page_size) << PAGE_SIZE_SHIFT
        setup = tuple(map(self._step, program.setup))
        threads = tuple(tuple(map(self._step, thread)) for thread in program.threads)
        last = tuple(map(self._step, program.last))
        owners = (
            [MAIN] * len(setup) + [n for n, thread in enumerate(threads) for _ in thread] + [MAIN] * len(last)
        )
        steps = (*setup, *(step for thread in threads for step in thread), *last)
        self.script = Script(setup, threads, last, steps, tuple(owners), self.numbers)
        self.names = names(program)
        together = [operation for thread in program.threads for operation in thread]
        self.flushes = any(isinstance(each, FlushObject) for each in together)
        self.ends = any(isinstance(each, DestroyPool) for each in together)

    def _step(self, operation: Operation) -> Step:
        method, arguments = flat(operation)
        match operation:
            case Reclaim():
                return Step(operation, method, None, None, arguments)
            case NewPool(client, flags, uuid):
                return Step(operation, method, client, self.pools[operation], (flags | self.size_bits, uuid))
            case Put(page=page):
                content = self.pages[int.from_bytes(page, "big") % len(self.pages)]
                arguments = (*arguments[:-1], content)
        return Step(operation, method, operation.client, pool_of(operation), arguments[2:])

    def run(
        self, strategy: Strategy, *, segments: bool = False, trace: bool = False, room: bool = True
    ) -> Run:
        """Make a backend, run the setup, then the threads as the strategy says, then what is last.

        With `room`, see that what room the target claims to regain is back.
        """
        order: list[int] = []
        count = len(self.script.steps)
        run = Run(self.script, order, [None] * count, [None] * count)
        control.release_points = self.target.level == "lock"
        modules.reseed()
        control.begin(strategy, LIMIT, record=segments, trace=trace)
        try:
            self._stages(run, room)
        except Stuck as failure:
            run.failure = failure
        finally:
            run.preemptions = tuple(control.preemptions)
            run.points = control.steps
            run.names = tuple(thread.name for thread in control.threads)
            run.segments, run.trace = control.segments, control.trace
            run.crashes = tuple(f"{t.name} ended with {type(e).__name__}: {e}" for t, e in control.crashes)
            control.trace = None  # what threads do while they are ended is no part of it
            control.end()
        return run

    def _stages(self, run: Run, room: bool) -> None:
        backend = self.target.make()
        ids = [UNMADE + n for n in range(len(self.pools))]
        script = self.script
        self._performer(backend, ids, run, 0, script.setup)()
        first = len(script.setup)
        for name, steps in zip(self.names, script.threads, strict=True):
            control.spawn(self._performer(backend, ids, run, first, steps), name, background=False)
            first += len(steps)
        control.release()
        self._performer(backend, ids, run, first, script.last)()
        if room and self.target.fill and len(control.threads) == len(script.threads):
            # A thread of the target's own may be about to give room back.
            run.leak = leaked(backend, _pools(run), self.target.fill)
        try:
            backend.close()
        except Exception:
            return  # what close may raise is for the sequential checks to say

    def _performer(
        self, backend: Any, ids: list[int], run: Run, first: int, steps: tuple[Step, ...]
    ) -> Callable[[], None]:
        order, answers, used, numbers = run.order, run.answers, run.ids, self.numbers
        tells = getattr(backend, "pool_flags", None)

        def perform() -> None:
            number = 0
            trace = control.trace
            for number, step in enumerate(steps):
                n = first + number
                asks = None
                control.begin_operation(number)
                order.append(n)
                if trace is not None:
                    trace.append(Mark("begin", control.current.index, n))
                pool = step.pool
                answer: Any
                try:
                    if pool is None:
                        answer = getattr(backend, step.method)(*step.rest)
                    elif step.method == "new_pool":
                        answer = backend.new_pool(step.client, *step.rest)
                        if type(answer) is int:
                            used[n] = ids[pool] = answer
                            asks = tells
                    else:
                        used[n] = id = ids[pool]
                        answer = getattr(backend, step.method)(step.client, id, *step.rest)
                        if type(answer) is bytes:
                            answer = numbers[answer]
                except Exception as error:
                    answer = Raised.of(error)
                answers[n] = answer
                order.append(~n)
                if trace is not None:
                    trace.append(Mark("end", control.current.index, n))
                if asks is not None:
                    n += len(answers)
                    order.append(n)
                    if trace is not None:
                        trace.append(Mark("begin", control.current.index, n))
                    try:
                        run.told[n] = asks(step.client, used[n - len(answers)])
                    except Exception as error:
                        run.told[n] = Raised.of(error)
                    order.append(~n)
                    if trace is not None:
                        trace.append(Mark("end", control.current.index, n))

        return perform


def names(program: Program) -> tuple[str, ...]:
    """What the threads of a program are called."""
    only = [bool(thread) and all(isinstance(each, Reclaim) for each in thread) for thread in program.threads]
    return tuple("reclaimer" if only[n] and sum(only) == 1 else f"thread {n + 1}" for n in range(len(only)))
