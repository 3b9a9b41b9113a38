"""The page of every operation in every situation: the table of the specification, with its clauses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

from tmem.spec.table import Line, lines

HEADS: Final = ("pool", "may answer", "which means", "the slot may then hold", "by")


def markdown(link: Callable[[str], str]) -> str:
    """A section for each operation, a table for each situation; `link` makes a link of the id of a clause."""
    parts = []
    for operation, of_operation in groupby(lines(), key=lambda line: line.operation):
        parts.append(f"## {operation}\n\n")
        for situation, found in groupby(of_operation, key=lambda line: line.situation):
            rows = "".join(_row(line, link) for line in found)
            parts.append(f"### {operation}: {situation}\n\n{_row_of(HEADS)}{_row_of(('---',) * 5)}{rows}\n")
    return "".join(parts)


def _row(line: Line, link: Callable[[str], str]) -> str:
    cited = ", ".join(map(link, line.clauses))
    return _row_of((line.kinds or "none", line.answers, line.meaning, line.afterwards, cited))


def _row_of(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |\n"
