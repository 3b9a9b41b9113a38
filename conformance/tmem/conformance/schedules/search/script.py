"""A program as the calls that its threads make."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from tmem.conformance.programs.pages import corpus
from tmem.conformance.schedules.runtime.virtual import MAIN
from tmem.conformance.schedules.threaded.program import Program, pool_of, with_pool
from tmem.spec.abi.flags import PAGE_SIZE_SHIFT, page_size_nibble
from tmem.spec.operations import NewPool, Operation, PoolFlags, Put, Reclaim, flat

STRANGE: Final = 0x8000
"""The first number of a page that nobody put."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, ready to be called: the number of its pool, and its other arguments."""

    operation: Operation
    method: str
    client: int | None
    pool: int | None
    rest: tuple[Any, ...]


class PageNumbers(dict[bytes, bytes]):
    """The number of each page, in two bytes. Pages that came back and that nobody put count from STRANGE."""

    def __init__(self, pages: tuple[bytes, ...]) -> None:
        numbers, self.pages = map(dict, _numbered(pages))
        super().__init__(numbers)
        self.known = len(pages)
        self.size = len(pages[0])

    def __missing__(self, page: bytes) -> bytes:
        if len(page) != self.size:
            return page
        number = (STRANGE + len(self) - self.known).to_bytes(2, "big")
        self[page], self.pages[number] = number, page
        return number


@lru_cache(4)
def _numbered(pages: tuple[bytes, ...]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    numbers = {page: n.to_bytes(2, "big") for n, page in enumerate(pages)}
    return numbers, {number: page for page, number in numbers.items()}


@dataclass(frozen=True, slots=True)
class Script:
    """A program as steps: the setup, the steps of each thread, and `last`, which reads every slot.

    `owners` holds the thread of each step. A question about the flags of a pool that was just made counts as
    the step `questions` after the step that made it.
    """

    setup: tuple[Step, ...]
    threads: tuple[tuple[Step, ...], ...]
    last: tuple[Step, ...]
    steps: tuple[Step, ...]
    owners: tuple[int, ...]
    numbers: PageNumbers
    called: dict[tuple[int, int | None], Operation] = field(default_factory=dict)
    """Operations with the pool id that they were called with, by step and id. Executions share them."""

    @property
    def questions(self) -> int:
        """The step of a question, less the step of its new pool."""
        return len(self.steps)

    def operation(self, n: int, pool: int | None) -> Operation:
        """The operation of a step, or a question, with the id of its pool."""
        called = self.called.get((n, pool))
        if called is None:
            called = self.called[n, pool] = self._called(n, pool or 0)
        return called

    def _called(self, n: int, pool: int) -> Operation:
        if n < self.questions:
            return with_pool(self.steps[n].operation, pool)
        new = self.steps[n - self.questions].operation
        assert isinstance(new, NewPool)
        return PoolFlags(new.client, pool)


def script(program: Program, page_size: int) -> Script:
    """The script of a program, for a backend of this page size."""
    pages = corpus(page_size).pages
    numbered = {pool: n for n, pool in reversed(list(enumerate(program.pools)))}
    size_bits = page_size_nibble(page_size) << PAGE_SIZE_SHIFT

    def step(operation: Operation) -> Step:
        method, arguments = flat(operation)
        match operation:
            case Reclaim():
                return Step(operation, method, None, None, arguments)
            case NewPool(client, flags, uuid):
                return Step(operation, method, client, numbered[operation], (flags | size_bits, uuid))
            case Put(page=page):
                arguments = (*arguments[:-1], pages[int.from_bytes(page, "big") % len(pages)])
        return Step(operation, method, operation.client, pool_of(operation), arguments[2:])

    setup = tuple(map(step, program.setup))
    threads = tuple(tuple(map(step, thread)) for thread in program.threads)
    last = tuple(map(step, program.last))
    own = [n for n, thread in enumerate(threads) for _ in thread]
    steps = (*setup, *(each for thread in threads for each in thread), *last)
    owners = (*[MAIN] * len(setup), *own, *[MAIN] * len(last))
    return Script(setup, threads, last, steps, owners, PageNumbers(pages))
