"""Backtraces of compiled code that ends its process: written as it dies, and read afterwards."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tmem.conformance.schedules.native.symbols import find
from tmem.conformance.schedules.native.toolchain import ToolchainError, runtime

FRAME: Final = re.compile(r"  Native (?P<library>.+)\+(?P<offset>0x[0-9a-f]+)")
CALLERS: Final = ("libffi", "_ctypes", "python")
"""Libraries through which Python calls: frames from there on outwards are not the target's."""


def report_crashes(file: int) -> bool:
    """Have a backtrace written to the file, a descriptor, when a signal ends this process.

    It comes before the stacks of Python that `faulthandler` writes. False without a compiler.
    """
    try:
        ctypes.PyDLL(str(runtime())).tmem_catch(file)
    except (ToolchainError, OSError):
        return False
    return True


def readable(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with places in the source for the frames of compiled code."""
    theirs = True
    for line in lines:
        frame = FRAME.fullmatch(line)
        if frame is None:
            yield line
            continue
        library = Path(frame["library"])
        theirs = theirs and not any(name in library.name for name in CALLERS)
        if theirs:
            yield from (f"  {place}" for place in find(library, int(frame["offset"], 16) - 1) if place.line)
