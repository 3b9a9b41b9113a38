"""Whether a thread of the system is blocked outside Python, by its state in /proc.

A thread that is asleep waits for the GIL, or for something else: a lock in C, a timer, or another process.
Where it sleeps on an address inside the runtime of Python, it waits for the GIL, and is not blocked. Reading
a file of /proc releases the GIL, but another thread may get it first.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

AVAILABLE: Final = Path("/proc/self/task").exists()
PAUSE: Final = 2e-4
"""Seconds between two looks. What is found depends on the looks alone."""
LOOKS: Final = 3
"""Looks in a row at which a thread is asleep before it counts as blocked."""
PATIENT_LOOKS: Final = 10
"""The same where a thread waits for a file or a socket, and so perhaps for another process."""
_TIMERS: Final = {35, 230} if os.uname().machine == "x86_64" else {101, 115}
"""The numbers of the system calls that sleep for a time."""
_FUTEX: Final = {202} if os.uname().machine == "x86_64" else {98}


class _Symbol(ctypes.Structure):
    """A symbol of an ELF file of 64 bits."""

    _fields_ = (
        *(("name", ctypes.c_uint32), ("info", ctypes.c_uint8), ("other", ctypes.c_uint8)),
        *(("section", ctypes.c_uint16), ("value", ctypes.c_uint64), ("size", ctypes.c_uint64)),
    )


def _runtime() -> range:
    """The addresses of the state of Python, the GIL included. Its other locks are allocated elsewhere."""
    begin = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    found = ctypes.POINTER(_Symbol)()
    try:
        known = ctypes.CDLL(None).dladdr1(
            ctypes.c_void_p(begin), (ctypes.c_void_p * 4)(), ctypes.byref(found), 1
        )
    except AttributeError:  # only glibc has it
        known = 0
    return range(begin, begin + found.contents.size) if known and found else range(0)


_RUNTIME: Final = _runtime()


def is_blocked(native: int, back: Callable[[], bool] = lambda: False) -> bool:
    """Look at a thread until it is blocked (True), or until it runs or `back` holds (False)."""
    looks = 0
    while not back():
        if not _asleep(native):
            return False
        looks += 1
        if looks >= (LOOKS if _call(native) in _TIMERS | _FUTEX else PATIENT_LOOKS):
            return not back()
        time.sleep(PAUSE)
    return False


def stays_blocked(native: int, slept: int, back: Callable[[], bool]) -> bool:
    """Wait until a blocked thread is back (False), or is found to be blocked still (True).

    It was blocked when it had slept `slept` times. If it sleeps for a time it tries again by itself, so it
    must have tried in vain since the call.
    """
    tries: int | None = None
    while not back():
        now, timer = sleeps(native), _call(native) in _TIMERS
        if _asleep(native) and now == slept and not timer:
            return not back()
        if not is_blocked(native, back):
            time.sleep(PAUSE)  # it runs, so it will be back or asleep soon
        elif not timer or (tries is not None and now > tries):
            return not back()
        else:
            tries = now if tries is None else tries
            time.sleep(PAUSE)
    return False


def _asleep(native: int) -> bool:
    """Return whether a thread sleeps, other than for the GIL.

    One that is being woken up is still in its system call, but its state is no longer S.
    """
    state = _read(native, "stat").rpartition(b")")[2].split()
    if not state or state[0] != b"S":
        return False
    call = _read(native, "syscall").split()
    return not call or (call[0] != b"running" and not _is_for_gil(call))


def waits_for_gil(native: int) -> bool:
    """Return whether a thread sleeps until it gets the GIL."""
    return _is_for_gil(_read(native, "syscall").split())


def _is_for_gil(call: list[bytes]) -> bool:
    if not call or not call[0].isdigit() or int(call[0]) not in _FUTEX:
        return False
    return int(call[1], 16) in _RUNTIME


def _call(native: int) -> int:
    number = _read(native, "syscall").split(b" ", 1)[0]
    return int(number) if number.isdigit() else -1


def sleeps(native: int) -> int:
    """How often a thread fell asleep."""
    found = re.search(rb"^voluntary_ctxt_switches:\s*(\d+)", _read(native, "status"), re.M)
    return int(found[1]) if found else 0


def _read(native: int, name: str) -> bytes:
    try:
        file = os.open(f"/proc/self/task/{native}/{name}", os.O_RDONLY)
    except OSError:  # the thread has ended
        return b""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""
    finally:
        os.close(file)
