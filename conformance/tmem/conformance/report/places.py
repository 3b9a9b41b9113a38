"""Places in the source that a run points at, for tools that show them beside the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

_PLACE: Final = re.compile(r"(?P<file>.+?):(?P<line>[1-9]\d*)(?: in .*)?")


class Place(NamedTuple):
    """A file, relative to the working directory where it lies below it, and a line, from 1."""

    file: str
    line: int


def place(text: str) -> Place | None:
    """The place that a text names; None where it names none.

    >>> place("store.c:568 in tmem_put"), place("tmem_put (store.c)")
    (Place(file='store.c', line=568), None)
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    path = Path(found["file"])
    here = Path.cwd()
    near = path.relative_to(here) if path.is_relative_to(here) else path
    return Place(near.as_posix(), int(found["line"]))
