"""The modules that replace `threading`, `_thread`, `time`, `datetime` and `random` for code under test."""

from __future__ import annotations

import datetime as real_datetime
import random as real_random
import threading as real_threading
import time as real_time
from types import ModuleType
from typing import Any, Final, Self

from tmem.conformance.schedules.runtime import locks, threads
from tmem.conformance.schedules.runtime.scheduler import scheduler

EPOCH: Final = 1_000_000_000.0
"""The value of `time.time` when an execution begins. The monotonic clocks begin at 0."""
NANO: Final = 1_000_000_000


def module(name: str, base: ModuleType | None, **names: Any) -> ModuleType:
    """A module with these names, and the docstring of `base`."""
    made = ModuleType(name, base.__doc__ if base is not None else None)
    made.__dict__.update(names)
    return made


def sleep(seconds: float) -> None:
    """Wait for virtual seconds."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    scheduler.block(sleep, "time to pass", seconds)


def wall() -> float:
    """Virtual seconds since 1970."""
    return EPOCH + scheduler.now


def clock_gettime(clock: int) -> float:
    """Virtual seconds of a clock of the system."""
    return wall() if clock == real_time.CLOCK_REALTIME else monotonic()


def monotonic() -> float:
    """Virtual seconds since the execution began."""
    return scheduler.now


def monotonic_ns() -> int:
    """Virtual nanoseconds since the execution began."""
    return int(scheduler.now * NANO)


threading: Final = module(
    "threading",
    real_threading,
    Lock=locks.Lock,
    RLock=locks.RLock,
    Condition=locks.Condition,
    Semaphore=locks.Semaphore,
    BoundedSemaphore=locks.BoundedSemaphore,
    Event=threads.Event,
    Barrier=threads.Barrier,
    BrokenBarrierError=real_threading.BrokenBarrierError,
    Thread=threads.Thread,
    Timer=threads.Timer,
    local=threads.local,
    current_thread=threads.current_thread,
    currentThread=threads.current_thread,
    main_thread=threads.main_thread,
    enumerate=threads.enumerate_threads,
    active_count=threads.active_count,
    activeCount=threads.active_count,
    get_ident=threads.get_ident,
    get_native_id=threads.get_ident,
    ThreadError=real_threading.ThreadError,
    ExceptHookArgs=real_threading.ExceptHookArgs,
    TIMEOUT_MAX=real_threading.TIMEOUT_MAX,
    excepthook=lambda args: None,
    settrace=lambda function: None,
    gettrace=lambda: None,
    setprofile=lambda function: None,
    getprofile=lambda: None,
    stack_size=lambda size=0: 0,
    _register_atexit=lambda function, *args, **kwargs: None,
)

_thread: Final = module(
    "_thread",
    None,
    LockType=locks.Lock,
    RLock=locks.RLock,
    allocate_lock=locks.Lock,
    allocate=locks.Lock,
    start_new_thread=threads.start_new_thread,
    start_new=threads.start_new_thread,
    get_ident=threads.get_ident,
    get_native_id=threads.get_ident,
    error=RuntimeError,
    TIMEOUT_MAX=real_threading.TIMEOUT_MAX,
    stack_size=lambda size=0: 0,
    _count=threads.active_count,
    _local=threads.local,
)

time: Final = module(
    "time",
    real_time,
    **{name: value for name, value in vars(real_time).items() if not name.startswith("__")}
    | {
        "sleep": sleep,
        "time": wall,
        "time_ns": lambda: int(wall() * NANO),
        "gmtime": lambda seconds=None: real_time.gmtime(wall() if seconds is None else seconds),
        "localtime": lambda seconds=None: real_time.localtime(wall() if seconds is None else seconds),
        "ctime": lambda seconds=None: real_time.ctime(wall() if seconds is None else seconds),
        "asctime": lambda *moment: real_time.asctime(*(moment or (real_time.localtime(wall()),))),
        "strftime": lambda form, *moment: real_time.strftime(
            form, *(moment or (real_time.localtime(wall()),))
        ),
        "clock_gettime": clock_gettime,
        "clock_gettime_ns": lambda clock: int(clock_gettime(clock) * NANO),
        "monotonic": monotonic,
        "monotonic_ns": monotonic_ns,
        "perf_counter": monotonic,
        "perf_counter_ns": monotonic_ns,
        "process_time": monotonic,
        "process_time_ns": monotonic_ns,
        "thread_time": monotonic,
        "thread_time_ns": monotonic_ns,
    },
)


class Date(real_datetime.date):
    """A date whose today is virtual."""

    @classmethod
    def today(cls) -> Self:
        """The virtual day."""
        return cls.fromtimestamp(wall())


class DateTime(real_datetime.datetime):
    """A date and time whose now is virtual."""

    @classmethod
    def now(cls, tz: real_datetime.tzinfo | None = None) -> Self:
        """The virtual time."""
        return cls.fromtimestamp(wall(), tz)

    @classmethod
    def utcnow(cls) -> Self:
        """The virtual time in UTC, without a zone."""
        return cls.fromtimestamp(wall(), real_datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Self:
        """The virtual time."""
        return cls.fromtimestamp(wall())


datetime: Final = module(
    "datetime",
    real_datetime,
    **{name: value for name, value in vars(real_datetime).items() if not name.startswith("__")}
    | {"date": Date, "datetime": DateTime},
)

generator: Final = real_random.Random(0)
"""The generator behind the functions of `random`. Each execution seeds it again."""


def reseed() -> None:
    """Seed the functions of `random`."""
    super(real_random.Random, generator).seed(0)  # a third of the time that Random.seed takes
    vars(generator)["gauss_next"] = None


random: Final = module(
    "random",
    real_random,
    **{name: value for name, value in vars(real_random).items() if not name.startswith("_")}
    | {
        name: getattr(generator, name)
        for name, value in vars(real_random).items()
        if getattr(value, "__self__", None) is real_random._inst
    },
)

VIRTUAL: Final = {each.__name__: each for each in (threading, _thread, time, datetime, random)}
"""The modules by the names under which they are imported."""
