"""A crowd: real threads that call one backend at once, and the calls of each."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tmem.conformance.history.calls import Call
from tmem.conformance.programs.pages import Corpus
from tmem.spec.abi.flags import compose
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.operations import Raised

STAMP: Final = 8
"""Bytes at the start of each page that say which put it is of."""
SWITCH: Final = 2e-5
"""Seconds between two switches of threads: often, so that they meet in the middle of operations."""
SHAPES: Final = (((7,), (0,)), ((7,), (0, 64)), ((7, 7 | 1 << 128), (0,)), ((7, 7 | 1 << 128), (0, 1, 64)))
"""The objects and indexes that the callers of one crowd meet at."""
UUID: Final = 0xA
MAKERS: Final = (0, 2)
"""The callers, one of each client, that end its pools or leave them, and make or join them again."""
KINDS: Final = ((False, False), (True, False), (False, True), (True, True))
"""The pools of a crowd, by number: persistent, shared."""

VISIT: Final = 3
"""Operations of a visitor."""

Recorded = list[tuple[float, float, str, tuple[Any, ...], object]]


@dataclass(slots=True)
class Crowd:
    """Threads over one backend. `pools` maps ⟨client, pool number⟩ to the id that it has now."""

    backend: Backend
    pages: Corpus
    seed: str
    pools: dict[tuple[int, int], int] = field(default_factory=dict)
    before: Recorded = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    visits: list[Recorded] = field(default_factory=list)
    callers: int = 0
    left: bool = False
    """Whether nobody waits any more: then the reclaimer ends, though callers may hang."""

    def start(self, callers: int, operations: int, visitors: int = 0) -> None:
        """Make the pools, and start this number of callers, the reclaimer if there is one, and the threads of
        the `visitors` one after the other, which do a few operations each."""
        self.callers = callers
        for number in range(len(KINDS)):
            for client in (1, 2):
                self._new_pool(self.before, client, number)
        work: list[Callable[[Recorded], None]] = [
            partial(self._call, number=number, operations=operations) for number in range(callers)
        ]
        if isinstance(self.backend, Reclaims):
            work.append(partial(self._reclaim, self.backend))
        if visitors:
            work.insert(callers, partial(self._visits, visitors=visitors))
        self.recorded = [[] for _ in work]
        self.threads = [
            threading.Thread(target=each, args=(kept,), daemon=True)
            for each, kept in zip(work, self.recorded, strict=True)
        ]
        for thread in self.threads:
            thread.start()

    def done(self) -> int:
        """The operations of the callers that returned. The reclaimer goes on while they hang."""
        return sum(map(len, self.recorded[: self.callers]))

    def wait(self, seconds: float) -> bool:
        """Wait a little. Returns whether every thread has ended."""
        until = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def history(self) -> list[Call]:
        """Every call. A page is the number of its put, or the bytes themselves if nobody put them."""
        calls = []
        for thread, kept in enumerate([self.before, *self.recorded, *self.visits]):
            for begin, end, op, args, answer in kept:
                if op == "put":
                    args = (*args[:4], self._token(args[4]))
                elif isinstance(answer, bytes):
                    answer = self._token(answer)
                calls.append(Call(thread, begin, end, op, args, answer))
        return calls

    def _token(self, page: bytes) -> object:
        stamp = int.from_bytes(page[:STAMP], "big")
        return stamp if page == self.page(stamp) else page

    def page(self, stamp: int) -> bytes:
        """The page of a put, by its stamp."""
        base = self.pages.pages[stamp % len(self.pages.pages)]
        return stamp.to_bytes(STAMP, "big") + base[STAMP:]

    # What threads do

    def _call(self, kept: Recorded, number: int, operations: int) -> None:
        draw = random.Random(f"{self.seed} {number}")
        client = 2 if number == 2 else 1  # two or more callers of each private pool
        oids, indexes = random.Random(self.seed).choice(SHAPES)
        stamps = iter(range(number << 32, (number << 32) + operations))
        for _ in range(operations):
            chance, pool_number = draw.random(), draw.choice((0, 0, 1, 1, 2, 3))
            if chance < 0.012 and number in MAKERS:
                self._anew(kept, client, pool_number)
                continue
            pool = self.pools.get((client, pool_number), 0)
            slot = (client, pool, draw.choice(oids), draw.choice(indexes))
            if chance < 0.4:
                self._do(kept, "put", (*slot, self.page(next(stamps))))
            elif chance < 0.85:
                self._do(kept, "get", slot)
            elif chance < 0.95:
                self._do(kept, "flush_page", slot)
            else:
                self._do(kept, "flush_object", slot[:3])

    def _visits(self, kept: Recorded, visitors: int) -> None:
        # Each visitor is a thread of its own, which ends before the next begins.
        for number in range(self.callers + 1, self.callers + 1 + visitors):
            self.visits.append([])
            visit = partial(self._call, self.visits[-1], number=number, operations=VISIT)
            visitor = threading.Thread(target=visit, daemon=True)
            visitor.start()
            visitor.join()

    def _reclaim(self, backend: Reclaims, kept: Recorded) -> None:
        callers = self.threads[: self.callers]
        while not self.left and any(thread.is_alive() for thread in callers):
            self._do(kept, "reclaim", (1,))
            time.sleep(SWITCH)

    def _anew(self, kept: Recorded, client: int, number: int) -> None:
        pool = self.pools.get((client, number))
        if pool is not None:
            self._do(kept, "destroy_pool", (client, pool))
        self._new_pool(kept, client, number)

    def _new_pool(self, kept: Recorded, client: int, number: int) -> None:
        persistent, shared = KINDS[number]
        flags = compose(persistent=persistent, shared=shared, page_size=self.backend.page_size)
        uuid = UUID + number if shared else None
        answer = self._do(kept, "new_pool", (client, flags, uuid))
        if type(answer) is not int:
            return
        if isinstance(self.backend, TellsFlags):
            self._do(kept, "pool_flags", (client, answer))
        self.pools[client, number] = answer

    def _do(self, kept: Recorded, op: str, args: tuple[Any, ...]) -> object:
        method = getattr(self.backend, op)
        answer: object
        begin = time.perf_counter()
        try:
            answer = method(*args)
        except BaseException as error:  # what a target raises is an answer
            answer = Raised.of(error)
        end = time.perf_counter()
        kept.append((begin, end, op, args, answer))
        return answer


@contextmanager
def switching_often() -> Iterator[None]:
    """Threads switch often in this context."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
