"""Which threads can go on: those that are ready, and those that sleep, since time may pass at any point."""

from __future__ import annotations

from typing import Final

from tmem.conformance.schedules.runtime.virtual import VirtualThread, order

IDLE: Final = 50
"""How often time may pass for background threads alone before the threads that wait count as stuck."""


class RunQueue:
    """The threads that can go on. A thread that was woken from its sleep is in both lists until it runs."""

    def __init__(self, main: VirtualThread) -> None:
        self.ready: list[VirtualThread] = [main]
        """Sorted by index."""
        self.sleeping: list[VirtualThread] = []
        """Those that have a deadline, in virtual time."""
        self.idle = 0
        """How often time has passed for background threads alone."""

    def add(self, thread: VirtualThread) -> None:
        """A thread becomes ready."""
        thread.waiting = None
        self.ready.append(thread)
        self.ready.sort(key=order)

    def wait(self, me: VirtualThread, on: object, waits: str, deadline: float | None = None) -> None:
        """A ready thread waits `on` something, in words `waits`, at the most until a virtual time."""
        me.waiting, me.waits = on, waits
        self.ready.remove(me)
        if deadline is not None:
            me.deadline = deadline
            self.sleeping.append(me)

    def goes_on(self, me: VirtualThread) -> bool:
        """A thread that waited runs again. Returns whether it was woken, rather than that its time passed."""
        if me.deadline is not None:
            me.deadline = None
            self.sleeping.remove(me)
        return not me.timed_out

    def others(self, me: VirtualThread) -> list[VirtualThread]:
        """The threads that could run instead of `me`, which runs."""
        others = [t for t in self.ready if t is not me]
        if self.sleeping:
            others += [t for t in self.sleeping if t is not me and t not in others]
        return others

    def following(self, me: VirtualThread) -> list[VirtualThread]:
        """The threads that could run after `me`, which blocked or ended: those that are ready come first."""
        return self.ready + [t for t in self.sleeping if t is not me and t not in self.ready]

    def first_to_wake(self) -> VirtualThread | None:
        """The sleeper with the next deadline. None if nobody sleeps, or only background threads too often."""
        if not self.sleeping:
            return None
        if all(t.background for t in self.sleeping):
            self.idle += 1
            if self.idle > IDLE:
                return None
        return min(self.sleeping, key=lambda t: (t.deadline, t.index))

    def due(self, now: float) -> list[VirtualThread]:
        """The sleepers whose deadline has passed by the time `now`."""
        return [
            t for t in self.sleeping if t.deadline is not None and t.deadline <= now and t not in self.ready
        ]
