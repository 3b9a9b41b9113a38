"""Recorded histories as text: one JSON object a line, one line a call (docs/histories.md has the schema)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import Final, cast

from tmem.conformance.history.calls import Call, Page
from tmem.spec.operations import SIGNATURES, Raised

ANSWERS: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "put": ("true or false", (bool,)),
    "get": ("a page or null", (str, type(None))),
    "flush_page": ("true or false", (bool,)),
    "flush_object": ("true or false", (bool,)),
    "new_pool": ("a pool id", (int,)),
    "destroy_pool": ("true or false", (bool,)),
    "pool_flags": ("flags", (int,)),
    "reclaim": ("a number of pages", (int,)),
}
EVERY: Final = ("op", "thread", "begin", "end", "answer")


OVERLAP: Final = (
    "thread {0} begins a call at {4} during that of line {1}, which took from {2} to {3}; "
    "a thread makes one call at a time"
)


class TraceError(ValueError):
    """A line that is no call; the message says which line, what is wrong and what to do."""


def read(lines: Iterable[str | bytes]) -> Iterator[Call]:
    """The calls of a trace, one by one; raises TraceError. Empty lines are skipped.

    Calls of one thread may not overlap, apart from calls that never returned: their caller gave up waiting.

    >>> line = '{"op": "get", "thread": 1, "client": 1, "pool": 0, "oid": 7, "index": 3, '
    >>> [str(call) for call in read([line + '"begin": 5, "end": 6, "answer": {"errno": 12}}'])]
    ['get(1, 0, 7, 3) → ENOMEM']
    >>> next(read([line + '"begin": 5, "answer": null}']))
    Traceback (most recent call last):
    tmem.conformance.history.trace.format.TraceError: line 1: "end" is missing (null: the call never returned)
    """
    busy: dict[int, tuple[int, float, float]] = {}
    for number, line in enumerate(lines, 1):
        if line and not line.isspace():
            try:
                call = _call(line)
                if call.end is not None:
                    last, end, begin = busy.get(call.thread, (0, -inf, -inf))
                    if call.begin < end and begin < call.end:
                        raise ValueError(OVERLAP.format(call.thread, last, begin, end, call.begin))
                    busy[call.thread] = number, call.end, call.begin
            except (ValueError, RecursionError) as error:
                raise TraceError(f"line {number}: {error}") from None
            yield call


def line_of(call: Call) -> str:
    """The line of a trace for one call; a page that is not text is written in hexadecimal.

    >>> next(read([line_of(Call(1, 5, None, "put", (1, 0, 7, 3, b"page"), None))])).args
    (1, 0, 7, 3, '70616765')
    """
    fields: dict[str, object] = {"op": call.op, "thread": call.thread}
    names = SIGNATURES[call.op].arguments
    fields |= {name: _plain(value) for name, value in zip(names, call.args, strict=True)}
    if call.op == "put":
        fields["page"] = _page_text(call.args[4])
    fields |= {"begin": call.begin, "end": call.end, "answer": _plain_answer(call)}
    return json.dumps(fields, ensure_ascii=False)


def _plain_answer(call: Call) -> object:
    answer = call.answer
    if call.end is None:
        return None
    if isinstance(answer, Raised):
        return {"raised": answer.type} if answer.errno is None else {"errno": answer.errno}
    if call.op == "get" and answer is not None:
        return _page_text(answer)
    return answer if type(answer) in ANSWERS[call.op][1] else {"raised": f"answered {answer!r:.40}"}


def _plain(value: Page) -> object:
    return hex(value) if isinstance(value, int) and value >= 1 << 53 else value


def _page_text(page: object) -> str:
    if isinstance(page, str):
        return page
    return page.hex() if isinstance(page, bytes) else str(page)


def _call(line: str | bytes) -> Call:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error.msg} at column {error.colno}; write one object a line") from None
    if type(fields) is not dict:
        raise ValueError(f"{_brief(fields)} is no object; write one object a line, a line for each call")
    op = fields.get("op")
    if not isinstance(op, str) or op not in SIGNATURES:
        raise ValueError(f'"op" is {_brief(op)}; write one of {", ".join(SIGNATURES)}')
    names = SIGNATURES[op].arguments
    try:
        args = tuple([_ARGUMENT[name](fields[name], name) for name in names])
        thread, begin, end, answer = fields["thread"], fields["begin"], fields["end"], fields["answer"]
    except KeyError as error:
        hint = " (null: the call never returned)" if error.args[0] == "end" else ""
        raise ValueError(f'"{error.args[0]}" is missing{hint}') from None
    if len(fields) != len(names) + len(EVERY):
        strange = next(key for key in fields if key not in names and key not in EVERY)
        raise ValueError(f'"{strange}" is no field of {op}; leave it out')
    thread = _integer(thread, "thread")
    _time(begin, "begin")
    if end is None:
        return Call(thread, begin, None, op, args, None)
    _time(end, "end")
    if end < begin:
        raise ValueError(f'"end" {end} comes before "begin" {begin}')
    return Call(thread, begin, end, op, args, _answer(op, answer))


def _answer(op: str, answer: object) -> object:
    if type(answer) is dict:
        match answer:
            case {"errno": int(errno)} if len(answer) == 1:
                return Raised("OSError", errno)
            case {"raised": str(name)} if len(answer) == 1:
                return Raised(name)
        raise ValueError(f'"answer" is {_brief(answer)}; write {{"errno": number}} or {{"raised": "type"}}')
    what, types = ANSWERS[op]
    if type(answer) not in types:
        raise ValueError(f'"answer" of {op} is {_brief(answer)}; write {what}, or what was raised')
    return answer


def _integer(value: object, name: str) -> int:
    if type(value) is int:
        return value
    if type(value) is str and value[:2] == "0x":
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise ValueError(f'"{name}" is {_brief(value)}; write an integer, or "0x..." where it is large')


def _integer_or_none(value: object, name: str) -> int | None:
    return None if value is None else _integer(value, name)


def _text(value: object, name: str) -> str:
    if type(value) is not str:
        raise ValueError(f'"{name}" is {_brief(value)}; write a string that is equal for equal pages only')
    return value


def _time(value: object, name: str) -> None:
    if type(value) not in (int, float) or value != value or abs(cast(float, value)) == float("inf"):
        raise ValueError(f'"{name}" is {_brief(value)}; write a number')


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"


_ARGUMENT: Final[dict[str, Callable[[object, str], Page]]] = dict.fromkeys(
    ("client", "pool", "oid", "index", "flags", "pages"), _integer
) | {"uuid": _integer_or_none, "page": _text}
