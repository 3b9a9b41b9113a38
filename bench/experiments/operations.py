"""What each operation costs, one thread, alone: every contender in turn, seconds a page."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from bench.plan import Plan, contenders
from bench.rounds import Times, in_turn, timed
from bench.subjects import FLUSH, GET, MISS, PUT, Contender, Subject, handles

CACHE_PUT, CACHE_GET = "put, ephemeral", "get hit, exclusive"
FLUSH_OBJECT, RECLAIM = "flush object", "reclaim"
CLEANCACHE, FRONTSWAP = "mixed, cleancache", "mixed, frontswap"
OF_STORES = (CACHE_PUT, CACHE_GET, FLUSH_OBJECT, RECLAIM)
"""Operations that peers do not have."""
PIECE = 16
"""Pages that a mixed load puts before it turns to older ones."""


class Visitor:
    """One contender with its keys: a method per operation, which answers the seconds that a page took."""

    def __init__(self, contender: Contender, plan: Plan) -> None:
        self.contender = contender
        self.swap, self.cache = contender.swap, contender.cache
        self.chunk = plan.chunk
        self.pages = plan.pages
        self.draw = random.Random(1)
        resident = handles(plan.resident)
        repeated = [self.pages[number % len(self.pages)] for number in range(plan.resident)]
        self.held = self.swap.hold(self.swap.keys(resident), repeated)
        fresh = handles(plan.chunk, first=1 << 22)
        self.fresh, self.cached = self.swap.keys(fresh), self.cache.keys(fresh)
        self.handles = fresh
        self.absent = self.swap.keys(handles(plan.chunk, first=1 << 24))
        spare = handles(PIECE, first=1 << 26)
        self.spare, self.cache_spare = self.swap.keys(spare), self.cache.keys(spare)

    def warm(self) -> None:
        """A few of everything, untimed: who comes after a server finds the caches full of other things."""
        pages = self.pages[:PIECE]
        self.swap.put(self.spare, pages)
        self.swap.get(self.held[:PIECE])
        self.swap.flush(self.spare)
        if self.cache is not self.swap:
            self.cache.put(self.cache_spare, pages)
            self.cache.take(self.cache_spare)

    def offers(self, operation: str) -> bool:
        if operation in OF_STORES:
            return self.contender.store is not None
        if operation in (CLEANCACHE, FRONTSWAP):
            return {PUT, GET, FLUSH} <= self.swap.offers
        return operation in self.swap.offers

    def put(self) -> float:
        return self._put(self.swap, self.fresh)

    def get(self) -> float:
        wanted = self.draw.choices(self.held, k=self.chunk)
        return self._timed(lambda: self.swap.get(wanted))

    def miss(self) -> float:
        return self._timed(lambda: self.swap.get(self.absent), found=0)

    def flush(self) -> float:
        self.swap.put(self.fresh, self._some_pages())
        doomed = self._shuffled(self.fresh)
        return self._timed(lambda: self.swap.flush(doomed))

    def cache_put(self) -> float:
        return self._put(self.cache, self.cached)

    def cache_get(self) -> float:
        self.cache.put(self.cached, self._some_pages())
        wanted = self._shuffled(self.cached)
        return self._timed(lambda: self.cache.take(wanted))

    def flush_object(self) -> float:
        assert self.contender.flush_objects is not None
        flush = self.contender.flush_objects
        self.cache.put(self.cached, self._some_pages())
        return timed(lambda: flush(self.handles)) / self.chunk

    def reclaim(self) -> float:
        assert self.contender.reclaim is not None
        reclaim = self.contender.reclaim
        self.cache.put(self.cached, self._some_pages())
        return self._timed(lambda: reclaim(self.chunk))

    def cleancache(self) -> float:
        """Each page is put, and taken some time later."""
        keys, pages = self.cached, self._some_pages()

        def work() -> int:
            taken = 0
            for at in range(0, len(keys) + 4 * PIECE, PIECE):
                self.cache.put(keys[at : at + PIECE], pages[at : at + PIECE])
                if at >= 4 * PIECE:
                    taken += self.cache.take(keys[at - 4 * PIECE : at - 3 * PIECE])
            return taken

        return self._timed(work)

    def frontswap(self) -> float:
        """Each page is put, got some time later, and flushed after that."""
        keys, pages = self.fresh, self._some_pages()

        def work() -> int:
            hits = 0
            for at in range(0, len(keys) + 4 * PIECE, PIECE):
                self.swap.put(keys[at : at + PIECE], pages[at : at + PIECE])
                if at >= 2 * PIECE:
                    hits += self.swap.get(keys[at - 2 * PIECE : at - PIECE])
                if at >= 4 * PIECE:
                    self.swap.flush(keys[at - 4 * PIECE : at - 3 * PIECE])
            return hits

        return self._timed(work)

    def _put(self, subject: Subject, keys: Sequence[Any]) -> float:
        pages = self._some_pages()
        seconds = self._timed(lambda: subject.put(keys, pages))
        subject.flush(keys)
        return seconds

    def _timed(self, work: Callable[[], int], found: int | None = None) -> float:
        done: list[int] = []
        seconds = timed(lambda: done.append(work()))
        if done != [self.chunk if found is None else found]:
            raise RuntimeError(f"{self.contender.name}: of {self.chunk} operations {done[0]} found a page")
        return seconds / self.chunk

    def _some_pages(self) -> list[bytes]:
        return self.draw.choices(self.pages, k=self.chunk)

    def _shuffled(self, keys: Sequence[Any]) -> list[Any]:
        return self.draw.sample(keys, len(keys))


OPERATIONS: dict[str, Callable[[Visitor], float]] = {
    PUT: Visitor.put,
    CACHE_PUT: Visitor.cache_put,
    GET: Visitor.get,
    CACHE_GET: Visitor.cache_get,
    MISS: Visitor.miss,
    FLUSH: Visitor.flush,
    FLUSH_OBJECT: Visitor.flush_object,
    RECLAIM: Visitor.reclaim,
    CLEANCACHE: Visitor.cleancache,
    FRONTSWAP: Visitor.frontswap,
}


def measure(plan: Plan) -> Iterator[tuple[str, Times]]:
    """By operation and contender, the seconds that a page took in each round."""
    with contenders(plan) as ready:
        visitors = [Visitor(contender, plan) for contender in ready]
        for operation, visit in OPERATIONS.items():
            able = {v.contender.name: v for v in visitors if v.offers(operation)}
            yield (
                operation,
                in_turn(
                    {name: partial(_visit, visit, v) for name, v in able.items()}, plan.rounds, plan.visits
                ),
            )


def _visit(visit: Callable[[Visitor], float], visitor: Visitor) -> float:
    visitor.warm()
    return visit(visitor)
