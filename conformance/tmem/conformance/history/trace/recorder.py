"""Records the calls that threads make on a backend, with as little disturbance as can be.

Each thread keeps its own list, so that threads meet at nothing but a counter, which serves as the clock:
its times are all distinct, and of two calls that do not overlap the later has the greater.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from tmem.conformance.history.calls import Call
from tmem.conformance.history.trace.format import line_of
from tmem.spec.backend import Backend
from tmem.spec.operations import Raised

R = TypeVar("R")
SHORT: Final = 32
"""Bytes up to which a page is kept as it is."""


def digest(page: bytes) -> Hashable:
    """What stands for a page in a history: a page of up to SHORT bytes itself, else 16 bytes of its hash."""
    return bytes(page) if len(page) <= SHORT else blake2b(page, digest_size=16).digest()


class Recorder:
    """A backend that passes every call on to another one, and remembers it.

    `identify` says what is kept of a page: equal for equal pages only. Abilities beyond the Protocol are
    there if the backend has them.

    >>> from tmem.model.adversary import backend
    >>> recorder = Recorder(backend("keep"))
    >>> pool = recorder.new_pool(1)
    >>> recorder.put(1, pool, 7, 3, bytes(recorder.page_size))
    True
    >>> [call.op for call in recorder.history()]
    ['new_pool', 'put']
    """

    def __init__(self, backend: Backend, identify: Callable[[bytes], Hashable] = digest) -> None:
        self.page_size = backend.page_size
        self._backend = backend
        self._identify = identify
        self._clock = count()
        self._numbers = count()
        self._threads: list[_Thread] = []
        self._local = threading.local()

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """As the backend does."""
        return self._record("new_pool", self._backend.new_pool, (client, flags, uuid))

    def destroy_pool(self, client: int, pool: int) -> bool:
        """As the backend does."""
        return self._record("destroy_pool", self._backend.destroy_pool, (client, pool))

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """As the backend does."""
        known = self._identify(bytes(page))
        args = (client, pool, oid, index, page)
        return self._record("put", self._backend.put, args, (client, pool, oid, index, known))

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """As the backend does."""
        return self._record("get", self._backend.get, (client, pool, oid, index))

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """As the backend does."""
        return self._record("flush_page", self._backend.flush_page, (client, pool, oid, index))

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """As the backend does."""
        return self._record("flush_object", self._backend.flush_object, (client, pool, oid))

    def close(self) -> None:
        """As the backend does; this is no part of the history."""
        self._backend.close()

    def __getattr__(self, name: str) -> Any:
        ability = getattr(self._backend, name)
        if name not in ("reclaim", "pool_flags"):
            return ability
        return lambda *args: self._record(name, ability, args)

    def history(self) -> list[Call]:
        """All calls up to now, in the order of their begins; those under way have no end."""
        calls = [call for thread in list(self._threads) for call in thread.history()]
        return sorted(calls, key=lambda call: call.begin)

    def save(self, path: Path) -> None:
        """Write the history as a trace, for `tmem check-trace`."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line_of(call)}\n" for call in self.history())

    def _record(
        self,
        op: str,
        method: Callable[..., R],
        args: tuple[Any, ...],
        kept: tuple[Hashable, ...] | None = None,
    ) -> R:
        thread: _Thread | None = getattr(self._local, "thread", None)
        if thread is None:
            thread = self._local.thread = _Thread(next(self._numbers))
            self._threads.append(thread)
        clock = self._clock
        begin = next(clock)
        thread.open = (begin, op, args if kept is None else kept)
        try:
            answer = method(*args)
        except BaseException as error:
            thread.close(next(clock), Raised.of(error))
            raise
        end = next(clock)
        thread.close(end, self._identify(answer) if isinstance(answer, bytes) else answer)
        return answer


class _Thread:
    """The calls of one thread, and the one that it is in."""

    __slots__ = ("calls", "number", "open")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls: list[tuple[int, int, str, tuple[Hashable, ...], object]] = []
        self.open: tuple[int, str, tuple[Hashable, ...]] | None = None

    def close(self, end: int, answer: object) -> None:
        """The call that the thread is in has come to its end."""
        if self.open is not None:
            begin, op, args = self.open
            self.calls.append((begin, end, op, args, answer))
            self.open = None

    def history(self) -> Iterator[Call]:
        """The calls of this thread, the one under way without an end."""
        under_way = self.open
        for begin, end, op, args, answer in self.calls:
            yield Call(self.number, begin, end, op, args, answer)
        if under_way is not None and (not self.calls or self.calls[-1][0] != under_way[0]):
            begin, op, args = under_way
            yield Call(self.number, begin, None, op, args, None)
