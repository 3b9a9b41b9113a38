"""Builds what `tmem explain` shows: the sentence of each clause, and the code that decides it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tmem.conformance.faults import FAULTS
from tmem.conformance.targets.suggest import nearest
from tmem.spec.clauses import CLAIMS, CLAUSES, SOURCES, Clause

PREFIX: Final = "TMEM-"
MARGIN: Final = 2
"""Columns by which the text below a title is indented."""


def listing() -> RenderableType:
    """Every clause and claim with its sentence."""
    return Group(
        _table(CLAUSES.values()),
        Text("\nClaims: what a backend may promise beyond the clauses.\n", style="dim"),
        _table(CLAIMS.values()),
        Text("\ntmem explain CLAUSE shows one with its sources, its example and its code.", style="dim"),
    )


def find(name: str) -> Clause:
    """The clause or claim of an id, in any case and with or without TMEM-; LookupError with the nearest."""
    known = {**CLAUSES, **CLAIMS}
    folded = {each.lower(): each for each in known}
    for form in (name.lower(), f"{PREFIX}{name}".lower()):
        if form in folded:
            return known[folded[form]]
    short = {each.removeprefix(PREFIX): each for each in known}
    like = nearest(name.upper().removeprefix(PREFIX), short, few=0)
    raise LookupError(f"there is no clause {name}{like or '; tmem explain lists them'}")


def explain(name: str) -> RenderableType:
    """Return everything about one clause or claim. Raises LookupError if there is none of this id."""
    clause = find(name)
    parts: list[RenderableType] = [
        Text(clause.id, style="bold"),
        Text(clause.sentence),
    ]
    if clause.implied:
        parts.append(Text("It follows from other clauses, and is kept for its checks.", style="dim"))
    if clause.id in CLAIMS:
        parts.append(Text("A claim: checked where a backend makes it.", style="dim"))
    sources = Text("\n".join(f"[{key}] {SOURCES[key]}" for key in clause.sources))
    parts += _section("Sources", _indented(sources))
    parts += _section(f"Decided by {clause.place}", _code(clause.definition))
    parts += _section("Example", _code(clause.example, "pycon"))
    if broken := faults(clause.id):
        parts += _section("Faults that break it, which the suite must catch", _indented(broken))
    return Group(*parts)


def faults(clause: str) -> Table | None:
    """Return the faults of the catalogue that break a clause, with their sentences, or None without any."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for fault in FAULTS.values():
        if fault.clauses[0] == clause:
            table.add_row(fault.name, Text(fault.sentence))
    return table if table.row_count else None


def _table(clauses: Iterable[Clause]) -> Table:
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
