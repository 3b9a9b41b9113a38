"""Builds what `tmem explain` shows: the sentence of each clause, and the code that decides it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from textwrap import indent
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tmem.conformance.faults import FAULTS
from tmem.conformance.programs.pages import corpus
from tmem.conformance.programs.transcript import Pages, call, said
from tmem.conformance.targets.suggest import nearest
from tmem.spec.clauses import CLAIMS, CLAUSES, SOURCES, Clause
from tmem.spec.definitions import DEFINITIONS
from tmem.spec.freedoms import FREEDOMS, Freedom, History
from tmem.spec.table import lines

PREFIX: Final = "TMEM-"
DEFINED: Final = "definitions"
TABLE: Final = "table"
MARGIN: Final = 2
"""Columns by which the text below a title is indented."""


def listing() -> RenderableType:
    """Every clause and claim with its sentence."""
    return Group(
        _table(CLAUSES.values()),
        Text("\nFreedoms: what a backend may do, and its callers must expect.\n", style="dim"),
        _table(FREEDOMS.values()),
        Text("\nClaims: what a backend may promise beyond the clauses.\n", style="dim"),
        _table(CLAIMS.values()),
        Text(
            "\ntmem explain CLAUSE shows one with its sources, its example and its code; "
            f"tmem explain {DEFINED} the words they use; tmem explain {TABLE} every operation in "
            "every situation.",
            style="dim",
        ),
    )


def find(name: str) -> Clause | Freedom:
    """Find what an id names, in any case and with or without TMEM-. Raises LookupError with the nearest."""
    known: dict[str, Clause | Freedom] = {**CLAUSES, **FREEDOMS, **CLAIMS}
    folded = {each.lower(): each for each in known}
    for form in (name.lower(), f"{PREFIX}{name}".lower()):
        if form in folded:
            return known[folded[form]]
    short = {each.removeprefix(PREFIX): each for each in known}
    like = nearest(name.upper().removeprefix(PREFIX), short, few=0)
    raise LookupError(f"there is no clause {name}{like or '; tmem explain lists them'}")


def explain(name: str) -> RenderableType:
    """Return all of a clause, freedom or claim, the definitions, or the table of situations.

    Raises LookupError if there is none of this id.
    """
    if name.lower() == DEFINED:
        return _definitions()
    if name.lower() == TABLE:
        return _situations()
    clause = find(name)
    if isinstance(clause, Freedom):
        return _freedom(clause)
    parts: list[RenderableType] = [
        Text(clause.id, style="bold"),
        Text(clause.sentence),
    ]
    if clause.implied:
        parts.append(Text("It follows from other clauses, and is kept for its checks.", style="dim"))
    if clause.id in CLAIMS:
        parts.append(Text("A claim: checked where a backend makes it.", style="dim"))
    parts += _section("Sources", _indented(_sources(clause.sources)))
    parts += _section(f"Decided by {clause.place}", _code(clause.definition))
    parts += _section("Example", _code(clause.example, "pycon"))
    if broken := faults(clause.id):
        parts += _section("Faults that break it, which the suite must catch", _indented(broken))
    return Group(*parts)


def _definitions() -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for word, meaning in DEFINITIONS.items():
        table.add_row(word, Text(meaning))
    return table


def _situations() -> RenderableType:
    parts: list[RenderableType] = []
    title = ""
    for line in lines():
        if title != (title := f"{line.operation}: {line.situation}"):
            parts += _section(title, Text(""))[:1]
        pools = f" ({line.kinds} pool)" if line.kinds else ""
        answers, clauses = f"{line.answers}{pools}", ", ".join(line.clauses).replace(PREFIX, "")
        parts.append(
            _indented(Text(f"{answers}: {line.meaning}. Afterwards: {line.afterwards}. [{clauses}]"))
        )
    return Group(*parts)


def _freedom(freedom: Freedom) -> RenderableType:
    parts: list[RenderableType] = [Text(freedom.id, style="bold"), Text(freedom.sentence)]
    parts += _section("Sources", _indented(_sources(freedom.sources)))
    for history in freedom.shown:
        parts += _section("Permitted", _code("\n".join(calls(history)), "text"))
    return Group(*parts)


def calls(history: History) -> list[str]:
    """Return the calls of a history as lines; where some overlap, with the times of each."""
    letters = Letters()
    shown = [f"{call(each.operation, letters)} → {said(each.answer, letters)}" for each in history]
    if all(one.end is not None and one.end < other.begin for one, other in pairwise(history)):
        return shown
    shown = [
        f"{call(each.operation, letters)} never returns" if each.end is None else line
        for each, line in zip(history, shown, strict=True)
    ]
    times = [f"{each.begin:g} to {'…' if each.end is None else f'{each.end:g}'}" for each in history]
    width = max(map(len, times))
    return [f"{time:{width}}  {line}" for time, line in zip(times, shown, strict=True)]


class Letters(Pages):
    """Names the pages of the freedoms, each of which is one letter again and again."""

    def __init__(self) -> None:
        super().__init__(corpus(1))

    def knows(self, page: bytes) -> bool:
        """Whether a page is one of theirs."""
        return len(set(page)) == 1

    def __call__(self, page: bytes) -> str:
        """Return the name of a page."""
        return f"page {chr(page[0]).upper()}"


def _sources(keys: Iterable[str]) -> Text:
    return Text("\n".join(f"[{key}] {SOURCES[key]}" for key in keys))


def faults(clause: str) -> Table | None:
    """Return the faults of the catalogue that break a clause, with their sentences, or None without any."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for fault in FAULTS.values():
        if fault.clauses[0] == clause:
            table.add_row(fault.name, Text(fault.sentence))
    return table if table.row_count else None


def _table(clauses: Iterable[Clause | Freedom]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for clause in clauses:
        table.add_row(clause.id, Text(clause.sentence))
    return table


def _section(title: str, body: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", style="dim"), body]


def _indented(body: RenderableType) -> Padding:
    return Padding(body, (0, 0, 0, MARGIN))


def _code(source: str, lexer: str = "python") -> Text:
    """Return code that can be copied from the terminal: lines are not wrapped, however long they are."""
    syntax = Syntax("", lexer, theme="ansi_dark", background_color="default")
    code = syntax.highlight(indent(source, " " * MARGIN))
    code.no_wrap, code.overflow = True, "ignore"
    code.rstrip()
    return code
