"""Runs one program against one backend, with the judge watching."""

from __future__ import annotations

from dataclasses import dataclass, field

from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.perform import close, perform
from tmem.conformance.programs.program import (
    BAD_INDEXES,
    BAD_LENGTHS,
    BAD_OIDS,
    REFUSALS,
    Code,
    Program,
    Step,
)
from tmem.conformance.turn import Ring
from tmem.model import Judge, Violation
from tmem.spec.abi.flags import PAGE_SIZE_SHIFT, page_size_nibble
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Reclaim,
)

UNKNOWN_POOLS = (7, -1, 1 << 30)
"""The pool ids that stand for the names of pools that were not made."""


@dataclass(slots=True)
class Outcome:
    """The result of a program: each operation with its answer, and the violation that ended it, if any."""

    judge: Judge
    trace: list[tuple[Operation, Answer]] = field(default_factory=list)
    violation: Violation | None = None


class Runner:
    """Turns steps into operations on a backend and judges the answers."""

    def __init__(self, program: Program, backend: Backend, pages: Corpus) -> None:
        self._backend = backend
        self._pages = pages
        self._program = program
        self._buffer = program.buffer
        self._oids, self._indexes, self._clients, _ = program.universe
        self._page_size = backend.page_size
        self._size_bits = page_size_nibble(backend.page_size) << PAGE_SIZE_SHIFT
        self._reclaims = isinstance(backend, Reclaims)
        self._tells = isinstance(backend, TellsFlags)
        self._ids: dict[tuple[int, int], int] = {}
        self.outcome = Outcome(Judge(backend.page_size, pages.scribble))

    def step(self, step: Step) -> Violation | None:
        """Perform one step. Returns the violation if the answer is one."""
        operation = self._operation(step)
        if operation is None:
            return None
        answer = self._perform(operation)
        if isinstance(operation, NewPool) and type(answer) is int:
            self._ids[operation.client, step.name] = answer
            if self._tells and self.outcome.violation is None:
                self._perform(PoolFlags(operation.client, answer))
        return self.outcome.violation

    def _perform(self, operation: Operation) -> Answer:
        answer = perform(self._backend, operation, self._pages.scribble, self._buffer)
        outcome = self.outcome
        outcome.trace.append((operation, answer))
        outcome.violation = outcome.judge.observe(operation, answer)
        return answer

    def _operation(self, step: Step) -> Operation | None:
        code, client_row, name, oid_row, index_row, argument = step
        client = self._clients[client_row]
        if code <= Code.FLUSH_PAGE:
            pool = self._ids.get((client, name), UNKNOWN_POOLS[name])
            handle = Handle(pool, self._oids[oid_row], self._indexes[index_row])
            if code == Code.GET:
                return Get(client, handle)
            if code == Code.PUT:
                return Put(client, handle, self._pages.pages[argument])
            return FlushPage(client, handle)
        pool = self._ids.get((client, name), UNKNOWN_POOLS[name])
        if code == Code.FLUSH_OBJECT:
            return FlushObject(client, pool, self._oids[oid_row])
        if code == Code.NEW_POOL:
            flags, uuid = self._program.grant(argument)
            return NewPool(client, flags | self._size_bits, uuid)
        if code == Code.DESTROY_POOL:
            return DestroyPool(client, pool)
        if code == Code.RECLAIM:
            return Reclaim(argument & 3) if self._reclaims else None
        if code == Code.BAD_FLAGS:
            return NewPool(client, REFUSALS[argument % len(REFUSALS)])
        return self._bad_argument(client, pool, self._oids[oid_row], self._indexes[index_row], argument)

    def _bad_argument(self, client: int, pool: int, oid: int, index: int, argument: int) -> Operation:
        which, variant = argument & 7, argument >> 3
        bad_oid = Handle(pool, BAD_OIDS[variant % 3], index)
        bad_index = Handle(pool, oid, BAD_INDEXES[variant % 3])
        page = self._pages.pages[0]
        if which < 3:
            longer = BAD_LENGTHS[variant % 3]
            short_or_long = b"" if longer is None else (page + b"\1")[: self._page_size + longer]
            return Put(client, Handle(pool, oid, index), short_or_long)
        if which == 3:
            return Put(client, bad_oid if variant & 1 else bad_index, page)
        if which == 4:
            return FlushPage(client, bad_oid if variant & 1 else bad_index)
        if which == 5:
            return FlushObject(client, pool, BAD_OIDS[variant % 3])
        return Get(client, bad_oid if variant & 1 else bad_index)


def run(program: Program, backend: Backend, pages: Corpus, ring: Ring) -> Outcome:
    """Run a program to its end or its first violation, and close the backend."""
    runner = Runner(program, backend, pages)
    for number, step in enumerate(program.steps):
        ring.step(number)
        if runner.step(step) is not None:
            break
    outcome = runner.outcome
    ring.step(len(program.steps))
    if (raised := close(backend)) and outcome.violation is None and outcome.trace:
        message = f"close raised {raised}."
        outcome.violation = Violation(
            "TMEM-ERR-1", message, "to return", outcome.judge.record.count, *outcome.trace[-1]
        )
    return outcome


def twins(program: Program) -> bool:
    """Whether the program's universe has handles that differ in high bits only (TMEM-HANDLE-2)."""
    oids, indexes = program.universe.oids, program.universe.indexes
    words = {oid & (1 << 64) - 1 for oid in oids}
    return len(words) < len(oids) or len({index & 63 for index in indexes}) < len(indexes)
