"""An execution as plain text: a column for each thread, time runs downwards.

An operation opens with its call and closes with its answer. Between them stand the locks that it acquires and
releases, where it is preempted and by whom, and what it waits for. Operations have numbers in the order in
which they begin; the list of steps and the sentence about the broken clause use the same numbers. The call
that breaks the contract is marked.
"""

from __future__ import annotations

import linecache
import shutil
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Final

from tmem.conformance.events import AFTER, BEFORE, BROKEN, Moment
from tmem.conformance.history.exhaustive import PAGE, Breach
from tmem.conformance.history.may_hold import held
from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.transcript import Pages, call, granted, said
from tmem.conformance.schedules.columns import NARROWEST, WIDEST, Row, columns, wrapped
from tmem.conformance.schedules.runtime.places import file_name
from tmem.conformance.schedules.runtime.virtual import MAIN, Mark
from tmem.conformance.schedules.search.execution import Execution
from tmem.conformance.schedules.search.executor import thread_names
from tmem.conformance.schedules.threaded.program import Program
from tmem.spec.abi.flags import describe
from tmem.spec.operations import NewPool, Operation, PoolFlags, Put, Reclaim


def picture(execution: Execution, breach: Breach, corpus: Corpus) -> str:
    """The picture of an execution that was traced. The terminal or COLUMNS limits its width."""
    width = max(4 * NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    words = Words(execution, breach, corpus)
    before = [*map(words.whole, words.before())]
    during = list(words.rows())
    after = [*map(words.whole, words.after())]
    lines = ["before", *listed(before, width), ""] if before else []
    lines += columns(during, words.names(during), width)
    lines += ["", "after", *listed(after, width)] if after else []
    lines += ["", *wrapped(sentence(breach), width)]
    if execution.failure is not None and execution.failure.details:
        lines += ["", *execution.failure.details.splitlines()]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def timeline(execution: Execution, breach: Breach, corpus: Corpus) -> tuple[Moment, ...]:
    """The picture as data."""
    words = Words(execution, breach, corpus)
    before = [Moment(BEFORE, "│", words.whole(n), words.holds(n)) for n in words.before()]
    returned = words.returned()
    during = [
        Moment(words.name(row.thread), row.edge, row.text, words.holds(next(returned, None)))
        if row.edge == "└"
        else Moment(words.name(row.thread), row.edge, row.text)
        for row in words.rows()
    ]
    after = [Moment(AFTER, "│", words.whole(n), words.holds(n)) for n in words.after()]
    return (*before, *during, *after)


def switched_at(execution: Execution) -> tuple[str, ...]:
    """The places in the source, as file:line, where threads were switched or had to wait; each once."""
    marks = [mark for mark in execution.trace or () if mark.kind in ("switch", "block") and mark.place]
    places = (mark.place.rpartition(":") for mark in marks)
    return tuple(dict.fromkeys(f"{file.partition(' (')[0]}:{line}" for file, _, line in places))


def listed(texts: Iterable[str], width: int) -> Iterator[str]:
    """The lines of texts below each other."""
    for text in texts:
        yield from wrapped(text, width, initial_indent="  ", subsequent_indent="     ")


def sentence(breach: Breach) -> str:
    """What is wrong, in one line."""
    return f"{BROKEN} {breach.clause}: {breach.message} Allowed: {breach.allowed}."


def steps(execution: Execution, corpus: Corpus) -> tuple[str, ...]:
    """The operations with their answers, a line each, in the order in which they began."""
    words = Words(execution, None, corpus)
    return tuple(f"{words.who(n)}: {words.call(n)} → {words.answer(n)}" for n in execution.began)


def outline(program: Program) -> list[str]:
    """The operations of a program without answers, a line each. Pools have their numbers."""
    found = thread_names(program)
    owners = [(each, "before") for each in program.setup]
    owners += [(each, found[n]) for n, thread in enumerate(program.threads) for each in thread]
    return [f"{owner}: {_without_answer(operation)}" for operation, owner in owners]


def _without_answer(operation: Operation) -> str:
    if isinstance(operation, Put):
        by = "" if operation.client == 1 else f"client {operation.client}: "
        return f"{by}put {operation.handle} page {int.from_bytes(operation.page, 'big')}"
    return call(operation, _NO_PAGES).removeprefix("client 1: ")


_NO_PAGES: Final = Pages(Corpus((), (), b"", {}))


class Words:
    """Puts an execution into words. Pages get their letters in the order in which they are mentioned."""

    def __init__(self, execution: Execution, breach: Breach | None, corpus: Corpus) -> None:
        self.execution = execution
        began = [n for n in execution.order if n >= 0]
        self.broken = began[breach.call] if breach is not None and began else None
        self.numbers = {n: number for number, n in enumerate(execution.began, 1)}
        self.page = Pages(corpus)
        operations = (step.operation for step in execution.script.steps)
        self.puts = [execution.content(each.page) for each in operations if isinstance(each, Put)]
        self.corpus = corpus

    def name(self, thread: int) -> str:
        """The name of a thread."""
        return self.execution.names[thread]

    def who(self, n: int) -> str:
        """The thread of an operation, or when it is done."""
        owner = self.execution.script.owners[n]
        if owner != MAIN:
            return self.name(owner)
        return "before" if n < len(self.execution.script.setup) else "after"

    def names(self, rows: Iterable[Row]) -> dict[int, str]:
        """The threads that have columns, with their names."""
        own = range(len(self.execution.script.threads))
        others = {row.thread for row in rows} - set(own)
        return {thread: self.name(thread) for thread in (*own, *sorted(others))}

    def before(self) -> list[int]:
        """The calls before the threads begin."""
        first = len(self.execution.script.setup)
        return [n for n in self.execution.began if n < first]

    def after(self) -> list[int]:
        """The calls after they have ended."""
        first = len(self.execution.script.steps) - len(self.execution.script.last)
        return [n for n in self.execution.began if n >= first]

    def whole(self, n: int) -> str:
        """A call with its number and answer, in one line."""
        return f"{self.numbered(n)} → {self.answer(n)}"

    def numbered(self, n: int) -> str:
        """A call with its number. Questions have no number."""
        return f"#{self.numbers[n]} {self.call(n)}" if n in self.numbers else self.call(n)

    def call(self, n: int) -> str:
        """A call."""
        operation = self.execution.operation(n)
        if isinstance(operation, Put):
            operation = Put(operation.client, operation.handle, self.content(operation.page))
        return call(operation, self.page).removeprefix("client 1: ")

    def answer(self, n: int) -> str:
        """An answer, with a mark if it breaks the contract."""
        if ~n not in self.execution.order:
            return "never returned"
        answer = self.execution.answer(n)
        text = self.held(self.content(answer)) if isinstance(answer, bytes) else said(answer, self.page)
        operation = self.execution.operation(n)
        if isinstance(operation, Reclaim) and type(answer) is int:
            text += " reclaimed"
        elif isinstance(operation, NewPool):
            text += granted(operation, self.execution.flags.get(n + self.execution.script.questions))
        elif isinstance(operation, PoolFlags) and type(answer) is int:
            text = describe(answer)
        return f"{text}  {BROKEN}" if n == self.broken else text

    def held(self, page: bytes) -> str:
        """A page that came back. If it begins like one page and ends like another, both."""
        if page not in self.corpus.numbers and (mixed := mixture(page, self.puts)) is not None:
            first, length, second = mixed
            return f"{length} bytes of {self.page(first)}, then {self.page(second)}"
        return self.page(page)

    def content(self, page: bytes) -> bytes:
        """The page of this number."""
        return self.execution.content(page) if len(page) == PAGE else page

    def rows(self) -> Iterator[Row]:
        """The rows of the threads."""
        inside: set[int] = set()
        for mark in self.execution.trace or ():
            if mark.thread != MAIN:
                inside = inside | {mark.thread} if mark.kind != "end" else inside - {mark.thread}
                yield from self.row(mark)
        for thread in sorted(inside & set(range(len(self.execution.script.threads)))):
            yield Row(thread, "└", f"never returns  {BROKEN}")

    def returned(self) -> Iterator[int]:
        """The operations of the threads, in the order in which they returned."""
        marks = (mark for mark in self.execution.trace or () if mark.kind == "end" and mark.thread != MAIN)
        return (mark.what for mark in marks if isinstance(mark.what, int))

    def holds(self, n: int | None) -> str:
        """What the slot of an operation may hold when it has returned, and why, in a sentence."""
        if n is None:
            return ""
        order = [each for each in self.execution.order if each >= 0]
        found = held(self.execution.calls(), order.index(n))

        def number(place: int) -> str:
            return f"#{self.numbers.get(order[place], '?')}"

        return "" if found is None else found.words(lambda page: self.page(self.content(page)), number)

    def row(self, mark: Mark) -> Iterator[Row]:
        """The rows of one mark."""
        match mark.kind, mark.what:
            case "begin", int(n):
                yield Row(mark.thread, "┌", self.numbered(n))
            case "end", int(n):
                yield Row(mark.thread, "└", self.answer(n))
            case (("acquire" | "release"), lock):
                yield Row(mark.thread, "│", f"{mark.kind} {getattr(lock, 'name', '') or 'a lock'}")
            case "switch", int(to):
                yield Row(mark.thread, "│", f"⇢ {self.name(to)}{where(mark.place)}")
                if code := source(mark.place):
                    yield Row(mark.thread, "│", f"    {code}")
            case "block", str(waits):
                yield Row(mark.thread, "│", f"waits for {waits}")


def mixture(page: bytes, puts: Iterable[bytes]) -> tuple[bytes, int, bytes] | None:
    """The page that this page begins like, for how many bytes, and the page that it ends like.

    >>> mixture(b"aaab", [b"aaaa", b"bbbb"])
    (b'aaaa', 3, b'bbbb')
    """
    for first, second in permutations(dict.fromkeys(puts), 2):
        length = next((n for n, (a, b) in enumerate(zip(first, page, strict=False)) if a != b), 0)
        if 0 < length < len(page) and page[length:] == second[length:]:
            return first, length, second
    return None


def where(place: str) -> str:
    """A place in the code, with the name of its file."""
    file, _, line = place.rpartition(":")
    return f" at {file_name(file)}:{line}" if file else ""


def source(place: str) -> str:
    """The line of code at a place."""
    file, _, line = place.rpartition(":")
    return linecache.getline(file, int(line)).strip() if file else ""
