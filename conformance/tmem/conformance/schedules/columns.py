"""Columns of text, one for each thread: what each thread did, and time runs downwards."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

WIDEST: Final = 100
NARROWEST: Final = 16
"""Characters of a column at the least."""
LINES: Final = 4
"""Lines that one row takes in its column at the most."""
GAP: Final = "   "


class Row(NamedTuple):
    """What happens in one column: `edge` is ┌ where an operation opens, └ where it closes."""

    thread: int
    edge: str
    text: str


def columns(rows: Iterable[Row], names: dict[int, str], width: int) -> list[str]:
    """The rows under the names of their threads, at most `width` characters wide where possible."""
    rows = list(rows)
    most = cap(_widths(rows, names).values(), width - len(GAP) * (len(names) - 1))
    rows = [line for row in rows for line in wrap(row, most - 2)]
    widths = _widths(rows, names)
    lines = [GAP.join(name.ljust(widths[thread]) for thread, name in names.items())]
    inside = dict.fromkeys(names, False)
    for row in rows:
        inside[row.thread] = row.edge != "└"
        cells = []
        for thread in names:
            mine = f"{row.edge} {row.text}" if thread == row.thread else "│" if inside[thread] else ""
            cells.append(mine.ljust(widths[thread]))
        lines.append(GAP.join(cells))
    return lines


def _widths(rows: Iterable[Row], names: dict[int, str]) -> dict[int, int]:
    widths = {thread: len(name) for thread, name in names.items()}
    for row in rows:
        widths[row.thread] = max(widths[row.thread], len(row.text) + 2)
    return widths


def cap(wanted: Iterable[int], room: int) -> int:
    """The widest that a column may be, so that all fit into the room: narrow columns leave theirs to others.

    >>> cap([10, 50, 60], 90), cap([30, 30], 90), cap([50] * 4, 20)
    (40, 30, 16)
    """
    wanted = list(wanted)
    most = max(wanted, default=NARROWEST)
    while most > NARROWEST and sum(min(each, most) for each in wanted) > room:
        most -= 1
    return most


def wrap(row: Row, width: int) -> Iterator[Row]:
    """The row, as several rows if its text is too long for a column. Text of more than LINES is cut."""
    indent = " " * (len(row.text) - len(row.text.lstrip()))
    texts = wrapped(
        row.text,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        max_lines=LINES,
        placeholder=" …",
    )
    for n, text in enumerate(texts or [""]):
        edge = row.edge
        if (edge == "┌" and n > 0) or (edge == "└" and n < len(texts) - 1):
            edge = "│"
        yield Row(row.thread, edge, text)


def wrapped(text: str, width: int, **how: Any) -> list[str]:
    """The text in lines, as textwrap makes them, but handles stay whole."""
    whole = re.sub("⟨[^⟩]*⟩", lambda handle: handle[0].replace(" ", "\xa0"), text)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(whole, width, **how)]
