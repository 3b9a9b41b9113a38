"""Measures how long the reclaimer holds a lock, in thread CPU time, by wrapping the locks of the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from bench.fresh import call
from bench.plan import Plan
from bench.rounds import thin
from bench.stores import CLIENT, PoolSubject
from bench.subjects import handles
from bench.variants import VARIANTS

LONGEST, TAIL = "longest hold", "tail"


class TimedLock:
    """A lock that records how much CPU time its holder used while it held the lock."""

    def __init__(self, lock: Any, holds: list[float]) -> None:
        self._lock = lock
        self._holds = holds
        self._since = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._lock.acquire(blocking, timeout):
            return False
        self._since = time.thread_time_ns()
        return True

    def release(self) -> None:
        held = time.thread_time_ns() - self._since
        self._lock.release()
        self._holds.append(held / 1e9)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _is_owned(self) -> bool:
        return bool(self._lock._is_owned())


def measure(plan: Plan) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """Yield the longest hold of each variant in each round, each measured in a fresh process."""
    for name in plan.variants[:1]:
        rounds = [call(reclaim_all, name=name, pages=plan.latencies) for _ in range(plan.latency_rounds)]
        yield name, {key: [found[key] for found in rounds] for key in (LONGEST, TAIL)}


def reclaim_all(name: str, pages: int) -> dict[str, Any]:
    """Reclaim all pages of a store whose order has some stale entries. Returns the seconds of each hold.

    Raises RuntimeError if the reclaimer took a lock that is not wrapped.
    """
    store = VARIANTS[name]()
    pool = PoolSubject(store)
    keys = handles(pages)
    for key in keys:
        pool.put([key], [b"%016d" % key[0] * 256])
    pool.flush(keys[::3])
    holds: list[float] = []
    room = store._room
    room.lock = TimedLock(room.lock, holds)
    owner = store._tables[CLIENT][pool.pool]
    owner.lock = TimedLock(owner.lock, holds)
    reclaimer = threading.Thread(target=store.reclaim, args=(pages,))
    reclaimer.start()
    reclaimer.join()
    if len(holds) < 10:
        raise RuntimeError(f"{name}: the reclaimer took other locks than those of its room and pools")
    store.close()
    return {LONGEST: max(holds), TAIL: thin(holds)}
