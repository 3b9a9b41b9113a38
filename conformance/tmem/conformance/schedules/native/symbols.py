"""Places in compiled code: the file, line and function of an address, by addr2line where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

CALL: Final = re.compile(
    r"lock\w*\s*\(\s*&?([^,()]*(?:\([^()]*\))?[^,()]*)|(\w[\w.>\-]*)\.(?:lock|read|write)\("
)
"""A call that locks, with the expression for the lock."""


class Place(NamedTuple):
    """A line of a function; `line` is 0 where it is not known."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        """As in `store.c:568 in tmem_put`."""
        name = Path(self.file).name
        return f"{name}:{self.line} in {self.function}" if self.line else f"{self.function} ({name})"


@lru_cache(4096)
def find(library: Path, offset: int) -> tuple[Place, ...]:
    """The places of an offset in a library, the innermost of inlined functions first; () if none is known."""
    tool = shutil.which("addr2line") or shutil.which("llvm-addr2line")
    if tool is None:
        return ()
    command = [tool, "-f", "-i", "-C", "-e", str(library), hex(offset)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return tuple(_place(library, *lines[n : n + 2]) for n in range(0, len(lines) - 1, 2))


def _place(library: Path, function: str, where: str) -> Place:
    file, _, line = where.partition(" (")[0].rpartition(":")
    if file in ("", "??") or not line.isdigit():
        return Place(str(library), 0, function if function != "??" else "unknown code")
    return Place(file, int(line), function)


def own(places: tuple[Place, ...]) -> Place | None:
    """The innermost place in a file that is there: what a standard library inlines is not."""
    return next((each for each in places if each.line and Path(each.file).exists()), next(iter(places), None))


def lock_name(line: str) -> str:
    """What a line of code calls the lock that it takes.

    >>> lock_name("    pthread_mutex_lock(&s->locks[n]);"), lock_name("let g = self.pages.lock().unwrap();")
    ('s->locks[n]', 'self.pages')
    >>> lock_name("return 0;")
    ''
    """
    found = CALL.search(line)
    return (found[1] or found[2] or "").strip() if found else ""
