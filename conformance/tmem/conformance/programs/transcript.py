"""Writes operations and answers as lines of text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.program import REFUSALS, Code, Program, Step
from tmem.spec.abi.flags import describe, kind_of
from tmem.spec.handle import short
from tmem.spec.operations import (
    Answer,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
    flat,
)


class Pages:
    """Names pages A, B, … in the order of appearance; the first time with the kind of data."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._names: dict[bytes, str] = {}

    def knows(self, page: bytes) -> bool:
        """Whether the page is in the corpus."""
        return page in self._corpus.numbers

    def __call__(self, page: bytes) -> str:
        """Return the name of a page."""
        if page == self._corpus.scribble:
            return "the scribble"
        if page in self._names:
            return f"page {self._names[page]}"
        number = self._corpus.numbers.get(page)
        if number is None:
            return f"{len(page)} bytes that were never put ({page[:8].hex()}…)"
        count = len(self._names)
        letters = ""
        while count >= 0:
            letters, count = chr(65 + count % 26) + letters, count // 26 - 1
        self._names[page] = letters
        return f"page {letters} ({self._corpus.kinds[number]})"


def lines(trace: Sequence[tuple[Operation, Answer]], corpus: Corpus) -> Iterator[str]:
    """Yield a line for each operation and its answer."""
    for asked, answered in told(trace, Pages(corpus)):
        yield f"{asked} → {answered}"


def told(trace: Sequence[tuple[Operation, Answer]], name: Pages) -> Iterator[tuple[str, str]]:
    """Yield each operation and its answer, in words."""
    for number, (operation, answer) in enumerate(trace):
        if isinstance(operation, PoolFlags):
            continue  # shown with the new pool that it is about
        asked, answered = call(operation, name), said(answer, name)
        if isinstance(operation, NewPool) and number + 1 < len(trace):
            question, flags = trace[number + 1]
            answered += granted(operation, flags) if isinstance(question, PoolFlags) else ""
        yield asked, answered


def granted(new: NewPool, flags: Answer) -> str:
    """Return the kind of pool that was granted, if it is not the one that was asked for; else no text."""
    if not isinstance(flags, int):
        return ""
    kind = kind_of(flags, new.uuid)
    return "" if kind == kind_of(new.flags, new.uuid) else f", granted {kind}"


def call(operation: Operation, name: Pages) -> str:
    """Return an operation in words."""
    words = flat(operation)[0].replace("_", " ")
    match operation:
        case Reclaim(pages):
            return f"{words} {pages} {'page' if pages == 1 else 'pages'}"
        case NewPool(_, flags, uuid):
            rest = describe(flags) + ("" if uuid is None else f", uuid {uuid:#x}")
        case Put(_, handle, page):
            rest = f"{handle} {name(page) if name.knows(page) else f'{len(page)} bytes'}"
        case Get(_, handle) | FlushPage(_, handle):
            rest = f"{handle}"
        case FlushObject(_, pool, oid):
            rest = f"⟨{pool}, {short(oid)}⟩"
        case _:
            rest = f"{operation.pool}"
    return f"client {operation.client}: {words} {rest}"


def said(answer: Answer, name: Pages) -> str:
    """Return an answer in words."""
    match answer:
        case Raised():
            return str(answer)
        case None:
            return "nothing"
        case bytes():
            return name(answer)
        case _:
            return repr(answer)


def plan(program: Program, count: int) -> list[str]:
    """Return the first `count` steps of a program in words, without answers; `close()` follows the last."""
    steps = [_planned(program, step) for step in program.steps[:count]]
    return steps if count <= len(program.steps) else [*steps, "close()"]


def _planned(program: Program, step: Step) -> str:
    code, client_row, pool, oid_row, index_row, argument = step
    numbers = program.universe
    client = f"client {numbers.clients[client_row]}:"
    oid = short(numbers.oids[oid_row])
    slot = f"pool {'abc'[pool]}, object {oid}, index {numbers.indexes[index_row]}"
    match code:
        case Code.PUT:
            return f"{client} put {slot}"
        case Code.GET:
            return f"{client} get {slot}"
        case Code.FLUSH_PAGE:
            return f"{client} flush page {slot}"
        case Code.FLUSH_OBJECT:
            return f"{client} flush object {oid} of pool {'abc'[pool]}"
        case Code.NEW_POOL:
            return f"{client} new pool {'abc'[pool]}, {describe(program.grant(argument)[0])}"
        case Code.DESTROY_POOL:
            return f"{client} destroy pool {'abc'[pool]}"
        case Code.RECLAIM:
            return f"reclaim {argument & 3} pages"
        case Code.BAD_FLAGS:
            return f"{client} new pool, {describe(REFUSALS[argument % len(REFUSALS)])}"
        case _:
            return f"{client} a call with an argument out of range, pool {'abc'[pool]}"
