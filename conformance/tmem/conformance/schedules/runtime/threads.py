"""Threads of `threading` as virtual threads, and what they wait for besides locks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from threading import BrokenBarrierError
from typing import Any, ClassVar

from tmem.conformance.schedules.runtime.locks import Condition, Lock
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import MAIN, VirtualThread

FIRST_IDENT = 1_000
"""The ident of the first thread; the others follow."""
_keys = itertools.count()


class Event:
    """A flag to wait for."""

    def __init__(self) -> None:
        self._flag = False
        self._waiters: list[VirtualThread] = []

    def is_set(self) -> bool:
        """Whether it is set."""
        scheduler.point()
        return self._flag

    isSet = is_set  # noqa: N815 the old name still exists

    def set(self) -> None:
        """Set it. All threads that wait go on."""
        scheduler.here()
        self._flag = True
        waiters, self._waiters = self._waiters, []
        for thread in waiters:
            scheduler.wake(thread)
        scheduler.point()

    def clear(self) -> None:
        """Unset it."""
        self._flag = False
        scheduler.point()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set. Returns False on a timeout."""
        scheduler.point()
        if self._flag:
            return True
        me = scheduler.current
        self._waiters.append(me)
        woken = scheduler.block(self, "an event", timeout)
        if me in self._waiters:
            self._waiters.remove(me)
        return woken or self._flag


class Barrier:
    """A barrier at which `parties` threads wait for each other."""

    def __init__(
        self, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None
    ) -> None:
        self.parties = parties
        self.broken = False
        self._action = action
        self._timeout = timeout
        self._condition = Condition(Lock())
        self._generation = 0
        self._count = 0

    @property
    def n_waiting(self) -> int:
        """Threads that wait now."""
        return self._count

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the others. Returns a different index for each; raises BrokenBarrierError on a timeout."""
        timeout = self._timeout if timeout is None else timeout
        with self._condition:
            if self.broken:
                raise BrokenBarrierError
            index, generation = self._count, self._generation
            self._count += 1
            if self._count == self.parties:
                self._open()
            elif not self._condition.wait_for(lambda: self._left(generation), timeout):
                self._break()
                raise BrokenBarrierError
            elif self._generation == generation:
                raise BrokenBarrierError
            return index

    def reset(self) -> None:
        """Threads that wait get BrokenBarrierError; the barrier is as new."""
        with self._condition:
            if self._count:
                self._break()
            self.broken = False

    def abort(self) -> None:
        """Threads that wait, and all that come, get BrokenBarrierError."""
        with self._condition:
            self._break()

    def _left(self, generation: int) -> bool:
        return self._generation != generation or self.broken

    def _open(self) -> None:
        try:
            if self._action is not None:
                self._action()
        except BaseException:
            self._break()
            raise
        self._generation += 1
        self._count = 0
        self._condition.notify_all()

    def _break(self) -> None:
        self.broken = True
        self._count = 0
        self._condition.notify_all()


class Thread:
    """A thread of the target. `start` makes a virtual thread, which ends with the execution."""

    _count: ClassVar[int] = 0

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        self._target = target
        self._args = tuple(args)
        self._kwargs = dict(kwargs or {})
        self.name = name or f"{getattr(target, '__name__', 'thread')}"
        self.daemon = bool(daemon)
        self._virtual: VirtualThread | None = None

    def start(self) -> None:
        """Start it. Raises RuntimeError the second time."""
        if self._virtual is not None:
            raise RuntimeError("threads can only be started once")
        self._virtual = scheduler.spawn(self.run, self.name, background=True)
        self._virtual.thread = self
        scheduler.point()

    def run(self) -> None:
        """Call the target."""
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or for virtual seconds."""
        if self._virtual is None:
            raise RuntimeError("cannot join thread before it is started")
        if self._virtual is scheduler.current:
            raise RuntimeError("cannot join current thread")
        scheduler.point()
        if not self._virtual.done:
            scheduler.block(self._virtual, f"the end of {self.name}", timeout)

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        scheduler.point()
        return self._virtual is not None and not self._virtual.done

    @property
    def ident(self) -> int | None:
        """Its number; None before it starts."""
        return None if self._virtual is None else ident_of(self._virtual)

    native_id = ident

    def getName(self) -> str:  # noqa: N802 the old name still exists
        """Its name."""
        return self.name

    def setDaemon(self, daemonic: bool) -> None:  # noqa: N802 the old name still exists
        """Has no effect: all threads end with the execution."""
        self.daemon = daemonic

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name}, {self.ident})>"


class Timer(Thread):
    """A thread that calls a function after virtual seconds, unless it is cancelled before."""

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(None, function, None, args or (), kwargs)
        self.interval = interval
        self.function = function
        self.finished = Event()

    def cancel(self) -> None:
        """Cancel the call."""
        self.finished.set()

    def run(self) -> None:
        """Wait, then call."""
        if not self.finished.wait(self.interval):
            super().run()
        self.finished.set()


class local:  # noqa: N801 the name is that of threading
    """An object whose attributes are each thread's own."""

    def __new__(cls, *args: Any, **kwargs: Any) -> local:
        """A new object. Each thread that uses it calls `__init__` of a subclass again."""
        self = object.__new__(cls)
        key = next(_keys)
        object.__setattr__(self, "_made", (key, args, kwargs))
        scheduler.here().local[key] = object.__getattribute__(self, "__dict__")
        return self

    def __getattribute__(self, name: str) -> Any:
        _own(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        _own(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        _own(self)
        object.__delattr__(self, name)


def _own(self: local) -> None:
    now = object.__getattribute__(self, "__dict__")
    key, args, kwargs = made = now["_made"]
    own = scheduler.here().local.get(key)
    if own is now:
        return
    if own is None:
        own = scheduler.here().local[key] = {"_made": made}
        object.__setattr__(self, "__dict__", own)
        type(self).__init__(self, *args, **kwargs)
    else:
        object.__setattr__(self, "__dict__", own)


def current_thread() -> Thread:
    """The Thread of the current virtual thread."""
    return thread_of(scheduler.here())


def thread_of(virtual: VirtualThread) -> Thread:
    """The Thread of a virtual thread; the first call makes it."""
    if virtual.thread is None:
        virtual.thread = Thread(name="MainThread" if virtual.index == MAIN else virtual.name)
        virtual.thread._virtual = virtual
    assert isinstance(virtual.thread, Thread)
    return virtual.thread


def ident_of(thread: VirtualThread) -> int:
    """The result of `get_ident` in the thread."""
    return FIRST_IDENT + thread.index


def get_ident() -> int:
    """The number of the current thread."""
    return ident_of(scheduler.here())


def main_thread() -> Thread:
    """The thread that made the backend."""
    return thread_of(scheduler.main)


def enumerate_threads() -> list[Thread]:
    """All threads that are alive."""
    return [thread_of(each) for each in [scheduler.main, *scheduler.threads] if not each.done]


def active_count() -> int:
    """The number of threads that are alive."""
    return 1 + sum(not thread.done for thread in scheduler.threads)


def start_new_thread(function: Callable[..., object], args: tuple[Any, ...], kwargs: Any = None) -> int:
    """Start a thread as `_thread` does. Returns its number."""
    thread = Thread(None, function, None, args, kwargs)
    thread.start()
    return thread.ident or 0
