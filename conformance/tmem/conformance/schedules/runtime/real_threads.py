"""Real threads that carry virtual threads: only the one that holds the baton runs.

The scheduler uses a `RealThread` like a greenlet: it has `switch`, `throw`, `parent` and `dead`. Libraries in
C that know which thread calls them, or that lock, see threads of the system.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident, get_native_id, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from greenlet import GreenletExit

Throws = BaseException | type[BaseException]


class RealThread:
    """A real thread that runs a function once it is switched to, and its parent's thread afterwards."""

    __slots__ = (
        "_baton",
        "_error",
        "_run",
        "_started",
        "dead",
        "ident",
        "native",
        "parent",
        "parked",
        "slept",
    )

    def __init__(self, run: Callable[[], object] | None, parent: RealThread | None) -> None:
        self.parent = parent
        self.dead = False
        self.ident = 0
        self.native = 0
        """The ids by which Python and the system know the thread; 0 before it runs."""
        self.slept = 0
        """How often it had slept when it was last found blocked outside Python."""
        self.parked = False
        """Whether it waits for the baton, or has just been given it."""
        self._run = run
        self._started = False
        self._error: Throws | None = None
        self._baton = allocate_lock()
        self._baton.acquire()

    @classmethod
    def of_caller(cls) -> RealThread:
        """The calling thread."""
        self = cls(None, None)
        self._started = True
        self._register()
        return self

    def switch(self) -> None:
        """Hand the baton to this thread. The caller goes on when it is handed back."""
        caller = _carriers.get(get_ident())
        self.resume()
        if caller is not None:  # the watchdog hands over a baton that it does not hold
            caller.wait()

    def throw(self, error: Throws) -> None:
        """Hand over the baton, so that `error` is raised where this thread waits for it."""
        if not self._started:
            self.dead = True
            return
        self._error = error
        self.switch()

    def resume(self) -> None:
        """Give the baton to this thread."""
        if self._started:
            self._baton.release()
            return
        self._started = True
        worker = _idle.pop() if _idle else _Worker()
        worker.begin(self)

    def wait(self) -> None:
        """The calling thread, which is this one, waits for the baton."""
        self.parked = True
        self._baton.acquire()
        self.parked = False
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def live(self, worker: _Worker) -> None:
        """Run the function, and give the baton to the parent. `worker` calls it."""
        self._register()
        assert self._run is not None
        with suppress(GreenletExit):
            self._run()
        assert self.parent is not None
        del _carriers[self.ident]
        self.dead = True
        _idle.append(worker)
        self.parent.resume()

    def _register(self) -> None:
        self.ident, self.native = get_ident(), get_native_id()
        _carriers[self.ident] = self


class _Worker:
    """A thread of the system that carries one RealThread after the other: starting threads is slow."""

    def __init__(self) -> None:
        self._next: RealThread | None = None
        self._begin = allocate_lock()
        self._begin.acquire()
        start_new_thread(self._loop, ())

    def begin(self, carried: RealThread) -> None:
        """Carry this thread now."""
        self._next = carried
        self._begin.release()

    def _loop(self) -> None:
        while True:
            self._begin.acquire()
            carried = self._next
            assert carried is not None
            carried.live(self)


_carriers: Final[dict[int, RealThread]] = {}
_idle: Final[list[_Worker]] = []
