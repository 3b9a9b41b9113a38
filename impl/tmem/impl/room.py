"""The room that all pools share: the bytes in use, and the age of the pages that may go for more."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tmem.impl.order import Order

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
"""Room that a persistent pool takes in advance, so that few of its puts need the lock of the room."""
SHARE = 1024
"""The part of a budget that it takes at most, where that is less."""


class Room:
    """The account of bytes against the budget, and the reclaim order. Callers hold `lock`.

    The lock stands below those of the pools: a thread that holds it waits for no other one of them.
    """

    __slots__ = ("_wake", "advance", "budget", "lock", "mark", "order", "used")

    def __init__(self, budget: int | None = None) -> None:
        self.lock = threading.Lock()
        self.budget = UNLIMITED if budget is None else budget
        self.used = 0
        """What pages, objects and pools take, and what pools took in advance: never beyond the budget."""
        self.advance = min(ADVANCE, self.budget // SHARE)
        self.order = Order()
        self.mark = self.budget
        """Bytes in use beyond which `lacking` has to be asked."""
        self._wake: Callable[[], object] | None = None

    def lacking(self, used: int) -> int:
        """How many bytes are lacking for so many to be in use. Beyond the mark this wakes the reclaimer."""
        if self._wake is not None and used > self.mark and self.order.pages:
            self._wake()
        return max(0, used - self.budget)

    def charge(self, cost: int) -> int:
        """Take `cost` bytes, or give them back where negative; else how many are lacking."""
        lacking = self.lacking(self.used + cost)
        if not lacking:
            self.used += cost
        return lacking

    def watch(self, mark: int, wake: Callable[[], object] | None) -> None:
        """Call `wake`, under the lock, when room is taken beyond the mark while there are ephemeral pages."""
        self.mark = min(mark, self.budget)
        self._wake = wake
