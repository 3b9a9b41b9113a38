"""Up to two million pages: what an operation costs as a store fills, and who waits while a pool ends."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.experiments.operations import CACHE_PUT
from bench.fresh import call
from bench.peers import LIMIT
from bench.plan import Plan, open_contender
from bench.rounds import in_turn, percentile, thin, timed
from bench.stores import CLIENT, PoolSubject
from bench.subjects import FLUSH, GET, PER_OBJECT, PUT, Contender, Handle, Subject, handles

COST, WAIT, AT_REST, TAIL, DESTROY = "cost", "wait p99.9", "wait p99.9 at rest", "tail", "seconds to destroy"
HERE, FIRST = "here", "at the first level"
LOOKUP = "lookup of a get hit"
PEERS = (LIMIT, "dict + lz4 + lock")
BYTES_A_PAGE = 2600
"""Memory that a page takes, with room to spare."""
SPARE = 1 << 30
ROUNDS, VISITS = 7, 3
BEYOND = 1 << 24
"""Handles from here on are not among those that a store is filled with."""


def measure(plan: Plan) -> Iterator[tuple[str, Any]]:
    """By contender: the seconds a page at each level, and the waits; in a fresh process each."""
    levels = [level for level in plan.levels if level * BYTES_A_PAGE + SPARE < _memory_available()]
    if too_many := [level for level in plan.levels if level not in levels]:
        plan.missing[f"fill with {min(too_many):,} pages and more"] = "there is not enough memory free"
    for name in (*plan.variants[:1], *PEERS):
        yield name, call(fill, name=name, levels=levels, chunk=plan.chunk // 2)


def fill(name: str, levels: list[int], chunk: int) -> dict[str, Any]:
    """Fill both pools of a contender; at each level, take turns with one that stays at the first level."""
    pages = Plan().pages
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        large = Filled(open_contender(name, Path(one)), pages, chunk)
        small = Filled(open_contender(name, Path(other)), pages, chunk)
        small.fill(levels[0])
        costs: dict[str, Any] = {}
        for level in levels:
            large.fill(level)
            costs[str(level)] = {
                operation: in_turn({HERE: partial(cost, large), FIRST: partial(cost, small)}, ROUNDS, VISITS)
                for operation, cost in COSTS.items()
                if large.offers(operation)
            }
        found: dict[str, Any] = {COST: costs}
        if large.contender.store is not None:
            found |= destroy(large.contender, pages)
        large.contender.close()
        small.contender.close()
        return found


class Filled:
    """A contender and how many pages it holds, half of them in each of its pools where it has two."""

    def __init__(self, contender: Contender, pages: list[bytes], chunk: int) -> None:
        self.contender = contender
        self.swap, self.cache = contender.swap, contender.cache
        self.pages = pages
        self.chunk = chunk
        self.count = 0
        self.draw = random.Random(1)

    def offers(self, operation: str) -> bool:
        if operation == LOOKUP:
            return self.contender.store is not None
        return operation in self.swap.offers or (operation == CACHE_PUT and self.cache is not self.swap)

    def fill(self, level: int) -> None:
        pools = list({id(pool): pool for pool in (self.swap, self.cache)}.values())
        share = level // len(pools)
        for at in range(self.count, share, PER_OBJECT):
            some = min(PER_OBJECT, share - at)
            pages = self.draw.choices(self.pages, k=some)
            for pool in pools:
                pool.hold(pool.keys(handles(some, first=at)), pages)
        self.count = share

    def put(self) -> float:
        return self._put(self.swap)

    def cache_put(self) -> float:
        return self._put(self.cache)

    def get(self) -> float:
        wanted = self.swap.keys(self._some())
        return timed(lambda: self.swap.get(wanted)) / self.chunk

    def lookup(self) -> float:
        """What of a hit finds the pampd, which is not touched."""
        assert isinstance(self.swap, PoolSubject)
        wanted, objects = self._some(), self.contender.store._tables[CLIENT][self.swap.pool].objects

        def look() -> None:
            for oid, index in wanted:
                objects[oid].pages[index]

        return timed(look) / self.chunk

    def flush(self) -> float:
        keys = self._new(self.swap)
        self.swap.put(keys, self.pages[: self.chunk])
        return timed(lambda: self.swap.flush(keys)) / self.chunk

    def _some(self) -> list[Handle]:
        return [divmod(self.draw.randrange(self.count), PER_OBJECT) for _ in range(self.chunk)]

    def _put(self, pool: Subject) -> float:
        keys, pages = self._new(pool), self.draw.choices(self.pages, k=self.chunk)
        seconds = timed(lambda: pool.put(keys, pages)) / self.chunk
        pool.flush(keys)
        return seconds

    def _new(self, pool: Subject) -> list[Any]:
        return pool.keys(handles(self.chunk, first=BEYOND))


COSTS: dict[str, Callable[[Filled], float]] = {
    PUT: Filled.put,
    CACHE_PUT: Filled.cache_put,
    GET: Filled.get,
    LOOKUP: Filled.lookup,
    FLUSH: Filled.flush,
}


def destroy(contender: Contender, pages: list[bytes]) -> dict[str, Any]:
    """Destroy both pools, one by one; what operations on a third pool wait meanwhile, and at rest."""
    store = contender.store
    other = PoolSubject(store)
    found: dict[str, Any] = {WAIT: [], AT_REST: [], TAIL: [], DESTROY: []}
    for pool in contender.cache, contender.swap:
        assert isinstance(pool, PoolSubject)
        seconds: list[float] = []
        end = partial(timed, partial(store.destroy_pool, CLIENT, pool.pool))
        ender = threading.Thread(target=lambda end=end, seconds=seconds: seconds.append(end()))
        ender.start()
        waits = _waits(other, pages, ender.is_alive)
        ender.join()
        countdown = iter(range(len(waits) // 3))
        at_rest = _waits(other, pages, partial(_more, countdown))
        found[WAIT].append(percentile(waits, 0.999))
        found[AT_REST].append(percentile(at_rest, 0.999))
        found[TAIL].append(thin(waits))
        found[DESTROY].append(seconds[0])
    return found


def _more(countdown: Iterator[int]) -> bool:
    return next(countdown, None) is not None


def _waits(pool: PoolSubject, pages: list[bytes], more: Callable[[], bool]) -> list[float]:
    """The seconds of each put, each hit and each flush, while there is more."""
    clock = time.perf_counter
    waits: list[float] = []
    at = 0
    while more() or not waits:
        key, page = [divmod(at % 4096, PER_OBJECT)], [pages[at % len(pages)]]
        begin = clock()
        pool.put(key, page)
        stored = clock()
        pool.get(key)
        got = clock()
        pool.flush(key)
        waits += [stored - begin, got - stored, clock() - got]
        at += 1
    return waits


def _memory_available() -> int:
    with open("/proc/meminfo") as lines:
        fields = dict(line.split(":") for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024
