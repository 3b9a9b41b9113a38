"""The locks of `threading` for virtual threads: each acquire and release is a switch point.

When a lock becomes free, its waiters become ready, and the first that is scheduled gets it, as in CPython.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tmem.conformance.schedules.runtime.places import named
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import Mark, VirtualThread


class Lock:
    """A mutex that any thread may release."""

    __slots__ = ("__weakref__", "_waiters", "name", "owner")

    def __init__(self) -> None:
        self.owner: VirtualThread | None = None
        self.name = ""
        self._waiters: list[VirtualThread] = []
        if scheduler.trace is not None:
            self.name = named()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it. Returns False if it is held and the caller does not wait, or not longer."""
        if blocking and timeout == -1:
            return self.__enter__()
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        scheduler.point()
        if self.owner is not None and not (blocking and self._wait(None if timeout < 0 else timeout)):
            return False
        self._take()
        return True

    def __enter__(self) -> bool:
        # `scheduler.point` and `_take` in line: an execution mostly locks and unlocks.
        scheduler.left -= 1
        if not scheduler.left:
            scheduler.reached()
        if self.owner is not None:
            self._wait(None)
        if self._waiters or scheduler.trace is not None:
            self._take()
        else:
            self.owner = scheduler.current
        return True

    def release(self) -> None:
        """Give it up."""
        if self.owner is None:
            if scheduler.dying:
                return
            raise RuntimeError("release unlocked lock")
        self.__exit__(None, None, None)

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        if scheduler.outside:
            scheduler.here()
        self.owner = None
        if scheduler.trace is not None:
            scheduler.trace.append(Mark("release", scheduler.current.index, self))
        if self._waiters:
            for thread in self._waiters:
                scheduler.wake(thread)
        if scheduler.release_points:
            scheduler.left -= 1
            if not scheduler.left:
                scheduler.reached()

    def locked(self) -> bool:
        """Whether a thread holds it."""
        scheduler.point()
        return self.owner is not None

    def _take(self) -> None:
        self.owner = scheduler.current
        if scheduler.trace is not None:
            scheduler.trace.append(Mark("acquire", scheduler.current.index, self))
        if self._waiters:
            for thread in self._waiters:
                scheduler.hold_back(thread, self)

    def _wait(self, timeout: float | None) -> bool:
        me = scheduler.current
        self._waiters.append(me)
        try:
            while self.owner is not None:
                if not scheduler.block(self, "a lock", timeout) and self.owner is not None:
                    return False
        finally:
            self._waiters.remove(me)
        return True

    def _at_fork_reinit(self) -> None:
        self.owner = None


class RLock:
    """A mutex that its holder may take again."""

    __slots__ = ("__weakref__", "_count", "_lock")

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0

    @property
    def owner(self) -> VirtualThread | None:
        """The thread that holds it."""
        return self._lock.owner

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; its holder takes it once more."""
        if scheduler.outside:
            scheduler.here()
        if self._lock.owner is scheduler.current:
            scheduler.point()
            self._count += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._count = 1
        return True

    __enter__ = acquire

    def release(self) -> None:
        """Give it up once; the last time frees it."""
        if scheduler.outside:
            scheduler.here()
        if self._lock.owner is not scheduler.current:
            if scheduler.dying:
                return
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._lock.release()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _is_owned(self) -> bool:
        return self._lock.owner is scheduler.here()

    def _release_save(self) -> int:
        count, self._count = self._count, 0
        self._lock.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        self._lock.acquire()
        self._count = count


class Condition:
    """A condition variable over a lock. A notify while no thread waits is lost."""

    def __init__(self, lock: Any = None) -> None:
        self._lock = RLock() if lock is None else lock
        self._waiters: list[VirtualThread] = []
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    def __enter__(self) -> bool:
        return bool(self._lock.__enter__())

    def __exit__(self, *exception: object) -> None:
        self._lock.__exit__(*exception)

    def _is_owned(self) -> bool:
        if isinstance(self._lock, RLock):
            return self._lock._is_owned()
        return bool(getattr(self._lock, "owner", None) is not None)

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait for a notify, and take the lock again. Returns False on a timeout."""
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        me = scheduler.here()
        self._waiters.append(me)
        count = 0
        if again := isinstance(self._lock, RLock):
            count = self._lock._release_save()
        else:
            self._lock.release()
        try:
            # Another thread may have notified at the switch point of the release.
            return me not in self._waiters or scheduler.block(self, "a notify", timeout)
        finally:
            if me in self._waiters:
                self._waiters.remove(me)
            if not scheduler.dying:
                if again:
                    self._lock._acquire_restore(count)
                else:
                    self._lock.acquire()

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until the predicate holds. Returns its last value."""
        until = None if timeout is None else scheduler.now + timeout
        while not (result := predicate()):
            left = None if until is None else until - scheduler.now
            if left is not None and left <= 0:
                break
            self.wait(left)
        return result

    def notify(self, n: int = 1) -> None:
        """Wake up to n threads that wait."""
        if not self._is_owned():
            raise RuntimeError("cannot notify on un-acquired lock")
        scheduler.point()
        chosen, self._waiters = self._waiters[:n], self._waiters[n:]
        for thread in chosen:
            if thread.waiting is self:
                scheduler.wake(thread)

    def notify_all(self) -> None:
        """Wake all threads that wait."""
        self.notify(len(self._waiters))

    notifyAll = notify_all  # noqa: N815 the old name still exists


class Semaphore:
    """A counter that is never below zero."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._value = value
        self._waiters: list[VirtualThread] = []

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Count down. Returns False if it is zero and the caller does not wait, or not longer."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        scheduler.point()
        if not self._value and not (blocking and self._wait(timeout)):
            return False
        self._value -= 1
        if not self._value:
            for thread in self._waiters:
                scheduler.hold_back(thread, self)
        return True

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self, n: int = 1) -> None:
        """Count up by n."""
        if n < 1:
            raise ValueError("n must be one or more")
        scheduler.here()
        self._value += n
        for thread in self._waiters:
            scheduler.wake(thread)
        scheduler.point()

    def _wait(self, timeout: float | None) -> bool:
        me = scheduler.current
        self._waiters.append(me)
        try:
            while not self._value:
                if not scheduler.block(self, "a semaphore", timeout) and not self._value:
                    return False
        finally:
            self._waiters.remove(me)
        return True


class BoundedSemaphore(Semaphore):
    """A semaphore whose count never exceeds its first value."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def release(self, n: int = 1) -> None:
        """Count up by n. Raises ValueError above the first value."""
        if self._value + n > self._initial_value:
            raise ValueError("Semaphore released too many times")
        super().release(n)
