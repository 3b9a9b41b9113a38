"""Suggests names that an unknown name may stand for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

FEW: Final = 12


def nearest(name: str, names: Iterable[str], few: int = FEW) -> str:
    """The end of a message: the names most like it, else what there is if no more than `few`, else nothing.

    >>> nearest("kep", ["keep", "random"]), nearest("x", ["keep", "random"]), nearest("x", [])
    ('; did you mean keep?', '; there are keep, random', '')
    """
    known = {each.lower(): each for each in names}
    if close := get_close_matches(name.lower(), known, 3, 0.6):
        return f"; did you mean {' or '.join(known[each] for each in close)}?"
    return f"; there are {', '.join(known.values())}" if 0 < len(known) <= few else ""
