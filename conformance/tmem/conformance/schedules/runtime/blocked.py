"""The threads that are blocked outside Python, and when they count as back.

A real thread that waits in C or in the system does not hand over the baton by itself: the watchdog finds it
blocked, and another thread goes on. When its call returns, it waits until the scheduler makes it ready, at a
place that does not depend on how fast the call was.
"""

from __future__ import annotations

from functools import partial

from tmem.conformance.schedules.runtime.outside import sleeps, stays_blocked
from tmem.conformance.schedules.runtime.virtual import VirtualThread


class Blocked(dict[int, VirtualThread]):
    """The threads that are blocked outside Python, by the ids of their real threads."""

    def __init__(self) -> None:
        super().__init__()
        self.back: list[VirtualThread] = []
        """Those of them that came back, and wait for their turn."""
        self.until = 0
        """Points until the scheduler decides. While there are such threads it stops at every point."""
        self.looking = False
        """Whether the scheduler itself looks at them, and so may be asleep."""

    def add(self, thread: VirtualThread) -> None:
        """The watchdog found this thread blocked."""
        self[thread.carrier.ident] = thread
        thread.carrier.slept = sleeps(thread.carrier.native)

    def returned(self) -> list[VirtualThread]:
        """Wait until each thread is back or found blocked still. Remove and return those that are back."""
        found = []
        self.looking = True
        for ident, thread in sorted(self.items(), key=lambda item: item[1].index):
            carrier = thread.carrier
            if stays_blocked(carrier.native, carrier.slept, partial(self.back.__contains__, thread)):
                carrier.slept = sleeps(carrier.native)
                continue
            self.back.remove(thread)
            del self[ident]
            found.append(thread)
        self.looking = False
        return found
