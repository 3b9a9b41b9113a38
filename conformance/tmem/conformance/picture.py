"""A schedule as a person sees it: a column for each thread, time downwards, plain text.

An operation opens with its call and closes with its answer; between them stand the locks it acquired and
released, where it was preempted and by whom, and what it waited for. The call that breaks the contract is
marked, and the sentence says how.
"""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Final, NamedTuple

from tmem.conformance.pages import Corpus
from tmem.conformance.schedules.judge import PAGE, Verdict
from tmem.conformance.schedules.locks import Lock
from tmem.conformance.schedules.places import file_name
from tmem.conformance.schedules.program import Program
from tmem.conformance.schedules.run import Run, names
from tmem.conformance.schedules.virtual import MAIN, Mark
from tmem.conformance.story import Pages, call, granted, said
from tmem.spec.abi.flags import describe
from tmem.spec.operations import NewPool, Operation, PoolFlags, Put, Reclaim

WIDTH: Final = 40
"""Characters of a column at the most; longer texts go on in the next line."""
GAP: Final = "   "


class Row(NamedTuple):
    """One thing that happened in one column: `edge` is ┌ where an operation opens, └ where it closes."""

    thread: int
    edge: str
    text: str


def picture(run: Run, verdict: Verdict, corpus: Corpus) -> str:
    """The picture of a run that was traced."""
    teller = Teller(run, verdict, corpus)
    before, during, after = teller.before(), list(teller.rows()), teller.after()
    lines = ["before", *(f"  {text}" for text in before), ""] if before else []
    lines += columns(during, teller.names(during))
    lines += ["", "after", *(f"  {text}" for text in after)] if after else []
    lines += ["", *textwrap.wrap(sentence(verdict), 100)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def sentence(verdict: Verdict) -> str:
    """What is wrong, in one line."""
    return f"✗ {verdict.clause}: {verdict.message} Allowed: {verdict.allowed}."


def steps(run: Run, corpus: Corpus) -> tuple[str, ...]:
    """The operations with their answers, a line each, in the order in which they began."""
    teller = Teller(run, None, corpus)
    return tuple(f"{teller.who(n)}: {teller.whole(n)}" for n in run.began)


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
        numbers = verdict.numbers if verdict is not None else {}
        self.numbers = {n: numbers[call] for call, n in enumerate(began) if call in numbers}
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
        """A call and its answer in one line."""
        return f"{self.call(n)} → {self.answer(n)}"

    def call(self, n: int) -> str:
        """A call."""
        operation = self.run.operation(n)
        if isinstance(operation, Put):
            operation = Put(operation.client, operation.handle, self.content(operation.page))
        number = f"#{self.numbers[n]} " if n in self.numbers else ""
        return number + call(operation, self.page).removeprefix("client 1: ")

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
                yield Row(mark.thread, "┌", self.call(n))
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


def columns(rows: Iterable[Row], names: dict[int, str]) -> list[str]:
    """The rows under the names of their threads."""
    rows = [wrapped for row in rows for wrapped in wrap(row)]
    widths = {
        thread: max([len(name), *(len(row.text) + 2 for row in rows if row.thread == thread)])
        for thread, name in names.items()
    }
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


def wrap(row: Row) -> Iterator[Row]:
    """The row, as several where its text is too long for a column."""
    indent = " " * (len(row.text) - len(row.text.lstrip()))
    texts = textwrap.wrap(row.text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [""]
    for n, text in enumerate(texts):
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
