"""The account of bytes against the budget, and the age of pages (`pool.cost_of` says what a page costs)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tmem.impl.order import Order, OrderedPool

UNLIMITED = 1 << 63

ENTRY = 40
"""A page's share of the dict that finds it, as dicts fill up and double."""
AGE = 16
"""An ephemeral page's entry in the reclaim order."""
OBJECT = 400
"""An object with its dict, and its place in the pool."""
POOL = 900
"""A pool, or a client's use of a shared one."""
ADVANCE = 1 << 16
"""Bytes that a persistent pool takes in advance, so that few of its puts need the lock of the room."""
SHARE = 1024
"""A pool takes at most this part of the budget in advance."""


class Room:
    """The account of bytes against the budget, and the reclaim order. Callers hold `lock`.

    The lock is the lowest: a thread that holds it waits for no other lock.
    """

    __slots__ = ("_wake", "advance", "budget", "lock", "mark", "order", "pools", "used")

    def __init__(self, budget: int | None = None, advance: int | None = None) -> None:
        self.lock = threading.RLock()
        self.budget = UNLIMITED if budget is None else budget
        self.pools: dict[OrderedPool, None] = {}
        """The pools that hold bytes, in the order in which they were made."""
        self.used = 0
        """The bytes that all pools hold: never more than the budget."""
        self.advance = min(ADVANCE, self.budget // SHARE) if advance is None else advance
        self.order = Order()
        self.mark = self.budget
        """Bytes in use above which `lacking` has to be asked."""
        self._wake: Callable[[], object] | None = None

    def lacking(self, used: int) -> int:
        """Return how many bytes lack for this many to be in use; wakes the reclaimer above the mark."""
        if self._wake is not None and used > self.mark and self.order.pages:
            self._wake()
        return max(0, used - self.budget)

    def charge(self, pool: OrderedPool, cost: int) -> int:
        """Let a pool hold `cost` bytes more; if bytes lack, return how many."""
        lacking = self.lacking(self.used + cost)
        if not lacking:
            pool.held += cost
            self.used += cost
        return lacking

    def give_back(self, pool: OrderedPool, cost: int) -> None:
        """Let a pool hold `cost` bytes less."""
        pool.held -= cost
        self.used -= cost

    def watch(self, mark: int, wake: Callable[[], object] | None) -> None:
        """Call `wake`, under the lock, when more than `mark` is used and there are ephemeral pages."""
        self.mark = min(mark, self.budget)
        self._wake = wake
