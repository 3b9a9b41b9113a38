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


class Room:
    """The account of bytes against the budget, and the reclaim order. Callers hold `lock`.

    The lock stands below those of the pools: a thread that holds it waits for no other.
    """

    __slots__ = ("budget", "lock", "mark", "on_mark", "order", "used")

    def __init__(self, budget: int | None = None) -> None:
        self.lock = threading.Lock()
        self.budget = UNLIMITED if budget is None else budget
        self.used = 0
        self.order = Order()
        self.mark = UNLIMITED
        """Bytes in use from which on `on_mark` is called: the low water of free room."""
        self.on_mark: Callable[[], object] | None = None

    def charge(self, cost: int) -> int:
        """Take room, for `cost` bytes (or give some back, where negative); else how many are lacking."""
        used = self.used + cost
        if used > self.budget:
            return used - self.budget
        self.used = used
        if used > self.mark and self.on_mark is not None:
            self.on_mark()
        return 0
