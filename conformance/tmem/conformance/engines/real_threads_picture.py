"""Calls of real threads as a person reads them: a line for each, and columns that show which overlapped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from tmem.conformance import events
from tmem.conformance.events import BROKEN, Moment
from tmem.conformance.history.calls import Call, end_of
from tmem.conformance.history.checker import Illegal
from tmem.conformance.history.may_hold import held
from tmem.conformance.programs.pages import Corpus
from tmem.conformance.programs.transcript import Pages, call, said
from tmem.conformance.schedules.columns import NARROWEST, WIDEST, Row, columns
from tmem.spec import history
from tmem.spec.operations import from_flat

BEFORE: Final = 0
"""The thread of the calls before the others begin."""
PAGE: Final = 4
"""Which argument of a put is the page."""


def story(
    found: Illegal, page: Callable[[int], bytes], pages: Corpus
) -> tuple[tuple[str, ...], str, tuple[Moment, ...]]:
    """The calls of a window with their answers, in the order in which they began, their picture and timeline.

    A page is the number of its put, of which `page` makes the page, or bytes that nobody put. Pages get
    letters as they are mentioned.
    """
    calls = found.window
    numbers = dict.fromkeys(each for each in _mentioned(calls) if isinstance(each, int))
    contents = {page(number): pages.kinds[number % len(pages.kinds)] for number in numbers}
    places = {each: n for n, each in enumerate(contents)}
    name = Pages(Corpus(tuple(contents), tuple(contents.values()), b"", places))

    def whole(each: object) -> Any:
        return page(each) if type(each) is int else each

    texts, answers = [], []
    for each in calls:
        put = each.op == "put"
        arguments: Any = (*each.args[:PAGE], whole(each.args[PAGE])) if put else each.args
        texts.append(call(from_flat(each.op, arguments), name).removeprefix("client 1: "))
        answer: Any = whole(each.answer) if each.op == "get" else each.answer
        answers.append("never returned" if each.end is None else said(answer, name))
    broken = re.match(r"#(\d+):", found.reason)
    if broken is not None:
        answers[int(broken[1]) - 1] += f"  {BROKEN}"
    lines = tuple(
        f"{_thread(each.thread)}: {text} → {answer}"
        for each, text, answer in zip(calls, texts, answers, strict=True)
    )
    before, rows = _before(calls, texts, answers), _rows(calls, texts, answers)
    plain = [_plain(each, whole) for each in calls]
    ended = [n for n, each in enumerate(calls) if each.thread != BEFORE and each.end is not None]
    holds = iter([_holds(plain, n, name) for n in sorted(ended, key=lambda n: (end_of(calls[n]), n))])
    moments = (
        Moment(_thread(row.thread), row.edge, row.text, next(holds) if row.edge == "└" else "")
        for row in rows
    )
    return lines, _picture(before, rows), (*before, *moments)


def _plain(call: Call, whole: Callable[[object], Any]) -> history.Call:
    put = call.op == "put"
    arguments: Any = (*call.args[:PAGE], whole(call.args[PAGE])) if put else call.args
    answer: Any = whole(call.answer) if call.op == "get" else call.answer
    return history.Call(from_flat(call.op, arguments), answer, call.begin, call.end)


def _holds(calls: Sequence[history.Call], n: int, name: Pages) -> str:
    found = held(calls, n)
    return "" if found is None else found.words(name, lambda m: f"#{m + 1}")


def _before(calls: Sequence[Call], texts: Sequence[str], answers: Sequence[str]) -> list[Moment]:
    return [
        Moment(events.BEFORE, "│", f"#{number} {text} → {answer}")
        for number, (each, text, answer) in enumerate(zip(calls, texts, answers, strict=True), 1)
        if each.thread == BEFORE
    ]


def _rows(calls: Sequence[Call], texts: Sequence[str], answers: Sequence[str]) -> list[Row]:
    events: list[tuple[float, int, Row]] = []
    for number, (each, text, answer) in enumerate(zip(calls, texts, answers, strict=True), 1):
        if each.thread == BEFORE:
            continue
        events.append((each.begin, number, Row(each.thread, "┌", f"#{number} {text}")))
        if each.end is not None:
            events.append((each.end, number, Row(each.thread, "└", answer)))
    return [row for _, _, row in sorted(events, key=lambda event: event[:2])]


def _picture(before: Sequence[Moment], rows: Sequence[Row]) -> str:
    names = {thread: _thread(thread) for thread in sorted({row.thread for row in rows})}
    width = max(4 * NARROWEST, min(shutil.get_terminal_size().columns, WIDEST))
    lines = ["before", *(f"  {each.text}" for each in before), ""] if before else []
    return "\n".join(line.rstrip() for line in (*lines, *columns(rows, names, width))) + "\n"


def _thread(number: int) -> str:
    return "before" if number == BEFORE else f"thread {number}"


def _mentioned(calls: Sequence[Call]) -> Iterator[object]:
    for each in calls:
        if each.op == "put":
            yield each.args[PAGE]
        elif each.op == "get":
            yield each.answer
