"""Drives a library whose threads are virtual: each call runs on the fiber of the thread that makes it.

A fiber leaves where the runtime says (see `runtime/runtime.h`); the scheduler then decides who goes on, and
that thread resumes its own fiber. One library can be driven at a time, since there is one real thread.
"""

from __future__ import annotations

import ctypes
import linecache
import shutil
import signal
import tempfile
from collections.abc import Callable
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from tmem.conformance.compiled.interface import FUNCTIONS
from tmem.conformance.compiled.library import LibraryError, load
from tmem.conformance.schedules.native.symbols import Place, find, lock_name, own
from tmem.conformance.schedules.native.toolchain import runtime
from tmem.conformance.schedules.runtime.scheduler import FAIR, scheduler
from tmem.conformance.schedules.runtime.strategies import Sticky
from tmem.conformance.schedules.runtime.virtual import (
    Mark,
    NeverPreempt,
    Strategy,
    Stuck,
    VirtualThread,
)
from tmem.conformance.schedules.runtime.watchdog import REAL

CRASH: Final = "crash"
"""The kind of failure of an execution in which a call ended the process, or would have."""
FIBERS: Final = 24
RACES: Final = 64
NANO: Final = 1e9
DRAWN: Final = 3
"""Schedules drawn at random that are learned from, for each program."""


class Word(IntEnum):
    """The words that are exchanged with the runtime; runtime.h explains them."""

    LEFT = 0
    RESULT = 1
    WHAT = 2
    NUMBER = 3
    TIMEOUT = 4
    PLACE = 5
    ANSWER = 6
    NOW = 7
    TRACING = 8
    ACCESSES = 9
    LEARNING = 10
    OWNER = 11
    NARROW = 12
    FUNCTION = 13
    ARGUMENTS = 14


LEFT, RESULT, FUNCTION, ARGUMENTS = 0, 1, 13, 14
WORDS: Final = 20


class Status(IntEnum):
    """Why a fiber left."""

    DONE = 1
    REACHED = 2
    BLOCK = 3
    WAKE = 4
    HOLD = 5
    YIELD = 6
    SPIN = 7
    SPAWN = 8
    JOIN = 9
    MARK = 10
    CRASHED = 11
    EXITED = 12
    STOOD = 13


class Lock:
    """A thing in the library that threads wait for. `owner` holds it, if anyone does."""

    __slots__ = ("name", "owner")

    def __init__(self, name: str) -> None:
        self.name = name
        self.owner: VirtualThread | None = None


class Highest(NeverPreempt):
    """Preempts no thread. After a thread blocks or ends, the highest one goes on."""

    def follow(self, thread: VirtualThread, ready: list[VirtualThread]) -> VirtualThread:
        """The highest thread."""
        return ready[-1]


class Machine:
    """A library with the runtime, ready for executions."""

    def __init__(self, path: Path) -> None:
        """Load the library once more, apart from where it may be loaded already. Raises LibraryError."""
        self.path = path.resolve()
        lib = ctypes.PyDLL(str(runtime()))
        self._runtime = lib
        with tempfile.TemporaryDirectory(prefix="tmem-") as folder:
            copy = Path(folder) / path.name
            shutil.copyfile(path, copy)
            self.functions = load(copy, hold=True)
            self._mapped = str(copy)
            addresses = {name: _address(each) for name, each in self.functions.items()}
            if not lib.tmem_attach(ctypes.c_void_p(addresses["tmem_open"])):
                raise LibraryError("there is no room for the stacks and heaps of virtual threads")
            self._base = self._loaded_at(addresses["tmem_open"])
        self.words = memoryview((ctypes.c_int64 * WORDS).in_dll(lib, "tmem_words")).cast("B").cast("q")
        self._enter, self._resume = lib.tmem_enter, lib.tmem_resume
        self._locks: dict[int, Lock] = {}
        self._learning = False
        self.calls: dict[str, Callable[..., Any]] = {
            name: partial(self.call, address, FUNCTIONS[name].result == "int")
            for name, address in addresses.items()
            if FUNCTIONS[name].result != "const char *"
        }
        if "tmem_claims" in self.functions:
            self.calls["tmem_claims"] = self.functions["tmem_claims"]

    def _loaded_at(self, address: int) -> int:
        lines = (line.split() for line in Path("/proc/self/maps").read_text().splitlines())
        starts = [int(line[0].partition("-")[0], 16) for line in lines if line[-1] == self._mapped]
        return min(starts, default=address)

    def begin(self, accesses: bool) -> None:
        """An execution begins: the library is as if it had just been loaded."""
        self._runtime.tmem_begin()
        self._locks.clear()
        words = self.words
        words[Word.TRACING] = scheduler.trace is not None
        words[Word.ACCESSES] = accesses
        words[Word.LEARNING] = self._learning
        scheduler.place = self.place

    def learn(self, execute: Callable[[Strategy], object]) -> None:
        """Learn which instructions touch what threads share, from one program, which `execute` executes.

        The library that was learned from has no switch points elsewhere: learn first, from many programs.
        """
        self._runtime.tmem_learn()
        self._learning = True
        try:
            # The first two find out what is shared, the others which instructions touch it.
            drawn = [Sticky(seed, 6.0) for seed in range(DRAWN)]
            strategies: list[Strategy] = [NeverPreempt(), Highest(), NeverPreempt(), Highest(), *drawn]
            for strategy in strategies:
                execute(strategy)
        finally:
            self._learning = False

    def call(self, address: int, narrow: bool, *arguments: Any) -> int:
        """Call a function on the fiber of the current thread; what it returned."""
        words = self.words
        words[FUNCTION] = address
        words[Word.NARROW] = narrow
        at = ARGUMENTS
        for each in arguments:
            words[at] = each or 0
            at += 1
        me = scheduler.current
        if me.index + 1 >= FIBERS:
            raise Stuck(REAL, f"the library starts more than {FIBERS} threads")
        words[LEFT] = scheduler.left
        status = self._enter(me.index + 1)
        while status != 1:
            scheduler.left = words[LEFT]
            answer = self._left(status, me)
            if scheduler.now:
                words[Word.NOW] = int(scheduler.now * NANO)
            words[Word.ANSWER] = answer
            words[LEFT] = scheduler.left
            status = self._resume(me.index + 1)
        scheduler.left = words[LEFT]
        return words[RESULT]

    def _left(self, status: int, me: VirtualThread) -> int:
        """Do what a fiber left for; what it is answered."""
        words = self.words
        number = words[Word.NUMBER]
        match status:
            case Status.REACHED:
                scheduler.reached()
            case Status.BLOCK:
                timeout = words[Word.TIMEOUT]
                lock = self._lock()
                return not scheduler.block(lock, "a lock", None if timeout < 0 else timeout / NANO)
            case Status.WAKE:
                self._lock()
                for thread in self._threads(number):
                    scheduler.wake(thread)
            case Status.HOLD:
                lock = self._lock()
                for thread in self._threads(number):
                    if thread in scheduler.queue.ready:
                        scheduler.hold_back(thread, lock)
            case Status.YIELD:
                scheduler.take_turns(1)
            case Status.SPIN:
                scheduler.take_turns(FAIR)
            case Status.SPAWN:
                routine, argument = words[Word.WHAT], words[ARGUMENTS]
                name = f"{self._function(routine)} {len(scheduler.threads) + 1}"

                def body() -> None:
                    self.call(routine, bool(number), argument)

                return scheduler.spawn(body, name, background=True).index + 1
            case Status.JOIN:
                other = self._thread(number)
                if not other.done:
                    scheduler.block(other, f"the end of {other.name}")
            case Status.MARK:
                assert scheduler.trace is not None
                kind = "acquire" if number else "release"
                scheduler.trace.append(Mark(kind, me.index, self._lock(), self.place()))
            case Status.STOOD:
                where = self._where()
                raise Stuck(
                    REAL, f"no switch point is reached in {where}: a real call waits, or a loop has none"
                )
            case _:
                raise Stuck(CRASH, f"{me.name} {self._end(status, number)}", self.backtrace())
        return 0

    # What is reported

    def races(self) -> list[tuple[str, str]]:
        """The data races that were seen in all executions so far, each as two places."""
        count = ctypes.c_int.in_dll(self._runtime, "tmem_race_count").value
        places = (ctypes.c_int64 * (2 * RACES)).in_dll(self._runtime, "tmem_races")
        names = [str(own(self.at(each)) or "unknown code") for each in places[: 2 * count]]
        pairs = ((min(pair), max(pair)) for pair in zip(names[::2], names[1::2], strict=True))
        return list(dict.fromkeys(pairs))

    def place(self) -> str:
        """The place in the code where a fiber left last, as file:line."""
        found = own(self.at(self.words[Word.PLACE]))
        return f"{found.file}:{found.line}" if found is not None and found.line else ""

    def at(self, address: int) -> tuple[Place, ...]:
        """The places of an address in the library."""
        return find(self.path, address - self._base) if address >= self._base else ()

    def backtrace(self) -> str:
        """Where the call was that ended, the innermost place first."""
        length = ctypes.c_int.in_dll(self._runtime, "tmem_trace_length").value
        trace = (ctypes.c_void_p * 64).in_dll(self._runtime, "tmem_trace")
        exact = ctypes.c_int.in_dll(self._runtime, "tmem_trace_exact").value
        addresses = [(trace[n] or 0) - (n != exact) for n in range(length)]
        places = [place for each in addresses for place in self.at(each) if place.line]
        said = (ctypes.c_char * 512).in_dll(self._runtime, "tmem_said").value.decode(errors="replace")
        return "\n".join([*([said] if said else []), *(f"at {place}" for place in places)])

    def _end(self, status: int, number: int) -> str:
        if status == Status.EXITED:
            return f"ends the process with exit code {number}"
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        said, *_ = [*self.backtrace().splitlines(), ""]
        return f"ends the process by {name}{' ' if said.startswith('at ') else ': ' if said else ''}{said}"

    def _where(self) -> str:
        lines = [line for line in self.backtrace().splitlines() if line.startswith("at ")]
        return lines[0].removeprefix("at ") if lines else "the library"

    def _lock(self) -> Lock:
        address = self.words[Word.WHAT]
        lock = self._locks.get(address)
        if lock is None:
            lock = self._locks[address] = Lock(self._name() if scheduler.trace is not None else "")
        owner = self.words[Word.OWNER]
        lock.owner = self._thread(owner) if owner >= 0 else None
        return lock

    def _name(self) -> str:
        found = own(self.at(self.words[Word.PLACE]))
        return (
            lock_name(linecache.getline(found.file, found.line)) if found is not None and found.line else ""
        )

    def _function(self, address: int) -> str:
        places = self.at(address)
        return places[-1].function if places else "thread"

    @staticmethod
    def _thread(fiber: int) -> VirtualThread:
        return scheduler.threads[fiber - 1] if fiber else scheduler.main

    def _threads(self, bits: int) -> list[VirtualThread]:
        return [self._thread(n) for n in range(FIBERS) if bits >> n & 1]


def _address(function: Any) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address
