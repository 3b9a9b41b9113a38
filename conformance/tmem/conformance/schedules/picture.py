"""A schedule as a person sees it: a column for each thread, time downwards, plain text.

An operation opens with its call and closes with its answer; between them stand the locks it acquired and
released, where it was preempted and by whom, and what it waited for. Operations are numbered in the order
in which they began, as in the list of steps and in the sentence that says how the contract was broken; the
call that breaks it is marked.
"""

from __future__ import annotations

import linecache
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any, Final, NamedTuple

from tmem.conformance.history.exhaustive import PAGE, Verdict
from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.transcript import Pages, call, granted, said
from tmem.conformance.schedules.programs.program import Program
from tmem.conformance.schedules.runtime.locks import Lock
from tmem.conformance.schedules.runtime.places import file_name
from tmem.conformance.schedules.runtime.virtual import MAIN, Mark
from tmem.conformance.schedules.search.runner import Run, names
from tmem.spec.abi.flags import describe
from tmem.spec.operations import NewPool, Operation, PoolFlags, Put, Reclaim

WIDEST: Final = 100
NARROWEST: Final = 16
"""Characters of a column at the least, however many threads there are."""
LINES: Final = 4
"""Lines that one thing takes in its column at the most."""
GAP: Final = "   "


class Row(NamedTuple):
    """One thing that happened in one column: `edge` is ┌ where an operation opens, └ where it closes."""

    thread: int
    edge: str
    text: str


def picture(run: Run, verdict: Verdict, corpus: Corpus) -> str:
    """The picture of a run that was traced, as wide as the terminal or COLUMNS says, within reason."""
    width = max(4 * NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    teller = Teller(run, verdict, corpus)
    before, during, after = teller.before(), list(teller.rows()), teller.after()
    lines = ["before", *listed(before, width), ""] if before else []
    lines += columns(during, teller.names(during), width)
    lines += ["", "after", *listed(after, width)] if after else []
    lines += ["", *wrapped(sentence(verdict), width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def listed(texts: Iterable[str], width: int) -> Iterator[str]:
    """Texts below each other."""
    for text in texts:
        yield from wrapped(text, width, initial_indent="  ", subsequent_indent="     ")


def wrapped(text: str, width: int, **how: Any) -> list[str]:
    """The text in lines, as textwrap does it, but handles stay whole."""
    whole = re.sub("⟨[^⟩]*⟩", lambda handle: handle[0].replace(" ", "\xa0"), text)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(whole, width, **how)]


def sentence(verdict: Verdict) -> str:
    """What is wrong, in one line."""
    return f"✗ {verdict.clause}: {verdict.message} Allowed: {verdict.allowed}."


def steps(run: Run, corpus: Corpus) -> tuple[str, ...]:
    """The operations with their answers, a line each, in the order in which they began."""
    teller = Teller(run, None, corpus)
    return tuple(f"{teller.who(n)}: {teller.call(n)} → {teller.answer(n)}" for n in run.began)


def plan(program: Program) -> list[str]:
    """The operations of a program that did not come to tell its answers; pools by their numbers."""
    found = names(program)
    owners = [(each, "before") for each in program.setup]
    owners += [(each, found[n]) for n, thread in enumerate(program.threads) for each in thread]
    return [f"{owner}: {_planned(operation)}" for operation, owner in owners]


def _planned(operation: Operation) -> str:
    if isinstance(operation, Put):
        by = "" if operation.client == 1 else f"client {operation.client}: "
        return f"{by}put {operation.handle} page {int.from_bytes(operation.page, 'big')}"
    return call(operation, _NO_PAGES).removeprefix("client 1: ")


_NO_PAGES: Final = Pages(Corpus((), (), b"", {}))


class Teller:
    """Puts what a run was into words. Pages get their names in the order in which they are told."""

    def __init__(self, run: Run, verdict: Verdict | None, corpus: Corpus) -> None:
        self.run = run
        began = [n for n in run.order if n >= 0]
        self.broken = began[verdict.call] if verdict is not None and began else None
        self.numbers = {n: number for number, n in enumerate(run.began, 1)}
        self.page = Pages(corpus)
        operations = (step.operation for step in run.script.steps)
        self.puts = [run.content(each.page) for each in operations if isinstance(each, Put)]
        self.corpus = corpus

    def name(self, thread: int) -> str:
        """What a thread is called."""
        return self.run.names[thread]

    def who(self, n: int) -> str:
        """Whose operation it is."""
        owner = self.run.script.owners[n]
        if owner != MAIN:
            return self.name(owner)
        return "before" if n < len(self.run.script.setup) else "after"

    def names(self, rows: Iterable[Row]) -> dict[int, str]:
        """The threads that have columns."""
        own = range(len(self.run.script.threads))
        others = {row.thread for row in rows} - set(own)
        return {thread: self.name(thread) for thread in (*own, *sorted(others))}

    def before(self) -> list[str]:
        """What was done before the threads began."""
        first = len(self.run.script.setup)
        return [self.whole(n) for n in self.run.began if n < first]

    def after(self) -> list[str]:
        """What was read when they had ended."""
        first = len(self.run.script.steps) - len(self.run.script.last)
        return [self.whole(n) for n in self.run.began if n >= first]

    def whole(self, n: int) -> str:
        """A numbered call and its answer in one line."""
        return f"{self.numbered(n)} → {self.answer(n)}"

    def numbered(self, n: int) -> str:
        """A call with its number; questions have none."""
        return f"#{self.numbers[n]} {self.call(n)}" if n in self.numbers else self.call(n)

    def call(self, n: int) -> str:
        """A call."""
        operation = self.run.operation(n)
        if isinstance(operation, Put):
            operation = Put(operation.client, operation.handle, self.content(operation.page))
        return call(operation, self.page).removeprefix("client 1: ")

    def answer(self, n: int) -> str:
        """An answer, marked where it breaks the contract."""
        if ~n not in self.run.order:
            return "never returned"
        answer = self.run.answer(n)
        told = self.held(self.content(answer)) if isinstance(answer, bytes) else said(answer, self.page)
        operation = self.run.operation(n)
        if isinstance(operation, Reclaim) and type(answer) is int:
            told += " reclaimed"
        elif isinstance(operation, NewPool):
            told += granted(operation, self.run.told.get(n + self.run.questions))
        elif isinstance(operation, PoolFlags) and type(answer) is int:
            told = describe(answer)
        return f"{told}  ✗" if n == self.broken else told

    def held(self, page: bytes) -> str:
        """A page that came back; where it is one page in the beginning and another in the end, which."""
        if page not in self.corpus.numbers and (mixed := mixture(page, self.puts)) is not None:
            first, length, second = mixed
            return f"{length} bytes of {self.page(first)}, then {self.page(second)}"
        return self.page(page)

    def content(self, page: bytes) -> bytes:
        """The page that a number stands for."""
        return self.run.content(page) if len(page) == PAGE else page

    def rows(self) -> Iterator[Row]:
        """What the threads did."""
        inside: set[int] = set()
        for mark in self.run.trace or ():
            if mark.thread != MAIN:
                inside = inside | {mark.thread} if mark.kind != "end" else inside - {mark.thread}
                yield from self.row(mark)
        for thread in sorted(inside & set(range(len(self.run.script.threads)))):
            yield Row(thread, "└", "never returns  ✗")

    def row(self, mark: Mark) -> Iterator[Row]:
        """What one mark tells."""
        match mark.kind, mark.what:
            case "begin", int(n):
                yield Row(mark.thread, "┌", self.numbered(n))
            case "end", int(n):
                yield Row(mark.thread, "└", self.answer(n))
            case (("acquire" | "release"), Lock(name=name)):
                yield Row(mark.thread, "│", f"{mark.kind} {name or 'a lock'}")
            case "switch", int(to):
                yield Row(mark.thread, "│", f"⇢ {self.name(to)}{where(mark.place)}")
                if code := source(mark.place):
                    yield Row(mark.thread, "│", f"    {code}")
            case "block", str(waits):
                yield Row(mark.thread, "│", f"waits for {waits}")


def mixture(page: bytes, puts: Iterable[bytes]) -> tuple[bytes, int, bytes] | None:
    """The page that this one begins like, for how many bytes, and the page that the rest is from.

    >>> mixture(b"aaab", [b"aaaa", b"bbbb"])
    (b'aaaa', 3, b'bbbb')
    """
    for first, second in permutations(dict.fromkeys(puts), 2):
        length = next((n for n, (a, b) in enumerate(zip(first, page, strict=False)) if a != b), 0)
        if 0 < length < len(page) and page[length:] == second[length:]:
            return first, length, second
    return None


def columns(rows: Iterable[Row], names: dict[int, str], width: int) -> list[str]:
    """The rows under the names of their threads, in so many characters if there is a way."""
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
    """What no column may exceed so that all fit into the room: those that want less leave it to others.

    >>> cap([10, 50, 60], 90), cap([30, 30], 90), cap([50] * 4, 20)
    (40, 30, 16)
    """
    wanted = list(wanted)
    most = max(wanted, default=NARROWEST)
    while most > NARROWEST and sum(min(each, most) for each in wanted) > room:
        most -= 1
    return most


def wrap(row: Row, width: int) -> Iterator[Row]:
    """The row, as several where its text is too long for a column; what is far too long is cut."""
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


def where(place: str) -> str:
    """A place in the code, by its file's name."""
    file, _, line = place.rpartition(":")
    return f" at {file_name(file)}:{line}" if file else ""


def source(place: str) -> str:
    """The line of code at a place."""
    file, _, line = place.rpartition(":")
    return linecache.getline(file, int(line)).strip() if file else ""
