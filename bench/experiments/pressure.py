"""A full store: how long a put takes while the reclaimer works."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from bench.fresh import call
from bench.plan import Plan
from bench.rounds import percentile, thin
from bench.stores import CLIENT, PoolSubject
from bench.subjects import handles
from bench.variants import VARIANTS

BUDGET = 32 << 20
NO_RECLAIM, BY_PUTS, IN_BACKGROUND = "no reclaim", "reclaim by the puts", "reclaim in the background"
SETTINGS = {
    NO_RECLAIM: {},
    BY_PUTS: {"budget": BUDGET},
    IN_BACKGROUND: {"budget": BUDGET, "keep_free": BUDGET // 16},
}
MEDIAN, P999, TAIL = "median", "p99.9", "tail"


def measure(plan: Plan) -> Iterator[tuple[str, Any]]:
    """By variant: the times of puts in each setting, in a fresh process."""
    for name in plan.variants[:1]:
        yield name, call(under_pressure, name=name, count=plan.latencies, rounds=plan.latency_rounds)


def under_pressure(name: str, count: int, rounds: int) -> dict[str, Any]:
    """By setting, for each round: the median and p99.9 of the seconds of a put, and its whole tail."""
    found: dict[str, Any] = {setting: {MEDIAN: [], P999: [], TAIL: []} for setting in SETTINGS}
    putters = {setting: Putter(VARIANTS[name](**options)) for setting, options in SETTINGS.items()}
    for _ in range(rounds):
        for setting, putter in putters.items():
            seconds = putter.put(count)
            found[setting][MEDIAN].append(percentile(seconds, 0.5))
            found[setting][P999].append(percentile(seconds, 0.999))
            found[setting][TAIL].append(thin(seconds))
    for setting, putter in putters.items():
        if (setting == NO_RECLAIM) != (putter.store.counters().pages_reclaimed == 0):
            raise RuntimeError(f"{name}: {setting} is not what happened")
        putter.store.close()
    return found


class Putter:
    """Puts new pages into an ephemeral pool, which is full from the start where the store has a budget."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.pages = Plan().pages
        self.pool = PoolSubject(store)
        self.next = 0
        self.draw = random.Random(1)
        if store.budget is not None:
            self.put(BUDGET // 1500)

    def put(self, count: int) -> list[float]:
        """The seconds that each of `count` puts took."""
        keys, pages = handles(count, first=self.next), self.draw.choices(self.pages, k=count)
        self.next += count
        clock, put, pool, seconds = time.perf_counter, self.store.put, self.pool.pool, []
        for (oid, index), page in zip(keys, pages, strict=True):
            begin = clock()
            put(CLIENT, pool, oid, index, page)
            seconds.append(clock() - begin)
        if self.store.budget is None:
            self.pool.flush_objects(keys)
        return seconds
