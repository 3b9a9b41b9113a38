"""A violation as a program in Python that needs nothing but the target."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tmem.conformance.scripts import pages, runtime
from tmem.conformance.scripts.expected import Ending
from tmem.conformance.scripts.loops import Item, Loop, column, fold
from tmem.conformance.scripts.opening import Opening
from tmem.conformance.scripts.recording import Called, Strange
from tmem.spec.operations import Raised

LARGEST: Final = 1 << 20
"""Characters of the longest program."""
HANG: Final = 10
"""Seconds after which the last call of a program counts as hung."""
_USAGE: Final = """\
It loads the target, and nothing else. It prints each call with its answer, and exits with
1  where the clause is broken,
0  where the last answer is allowed,
3  where an earlier answer is another one than in the run that found it: then it shows nothing.
"""
_MARK: Final = "# --- from here on it is the program's\n"


def text(head: str, clause: str, opening: Opening, ending: Ending, page_size: int) -> str:
    """The program. `head` says in words what is broken. ValueError where it would be too long."""
    writer = _Writer()
    body = list(writer.lines(ending))
    parts = [
        f'"""{_quoted(head)}\n\n{_USAGE}"""\n',
        "from __future__ import annotations\n",
        inspect.getsource(runtime).partition(_MARK)[2].replace('CLAUSE = ""', f"CLAUSE = {clause!r}"),
        f"in_another_process({HANG})\n" if ending.died else "",
        *opening.lines,
        f"PAGE_SIZE = {page_size}",
        pages.STAMPED if writer.stamped else "",
        "",
        *(f"page_{number} = {pages.expression(page)}" for page, number in writer.pages.items()),
        f"calls.backends += [{', '.join(opening.make(number) for number in ending.made)}]",
        "",
        *body,
        "",
    ]
    program = "\n".join(parts)
    if len(program) > LARGEST:
        raise ValueError(f"its calls fill {len(program) >> 10} KiB, which nobody reads")
    return program


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A call without its numbers. What stands for an argument or answer takes numbers, and writes them."""

    backend: int
    method: str
    arguments: tuple[Hashable, ...]
    holder: str
    came: Hashable


@dataclass(slots=True)
class _Writer:
    """Writes calls. `pages` are the pages that have names, `ids` the pools that are made, by ⟨client, id⟩."""

    pages: dict[bytes, int] = field(default_factory=dict)
    ids: dict[tuple[object, int], int] = field(default_factory=dict)
    made: int = 0
    stamped: bool = False

    def lines(self, ending: Ending) -> Iterator[str]:
        """The lines of all calls."""
        *before, last = ending.calls
        if ending.together:
            before.append(last)
        items = [self._item(call) for call in before]
        for loop in fold(items):
            yield from self._loop(loop)
        if ending.together:
            yield "print('Each answer may be right alone; together they break the claim.')"
            yield "broken()"
            return
        yield from self._last(last, ending)

    def _last(self, last: Called, ending: Ending) -> Iterator[str]:
        item = self._item(last)
        shape, write = item.shape, _Numbers([str(number) for number in item.numbers])
        assert isinstance(shape, _Shape)
        call = self._arguments(shape, write)
        if ending.died:
            yield f"calls.ask({shape.backend}, {shape.method!r}, ({call[1]}), {shape.holder or 'bytes'})"
            yield "leave(DONE)"
            return
        allowed = "".join(f"{self._literal(each)}, " for each in ending.allowed)
        more = f", any_id=True, taken={ending.taken!r}" if ending.any_id else ""
        yield f"calls.last({call[0]}{call[1]}allowed=({allowed}){more}{_held(shape)})"

    def _literal(self, answer: object) -> str:
        numbers: list[int] = []
        kind = self._value(answer, numbers)
        return _written(kind, _Numbers([str(number) for number in numbers]))

    def _item(self, call: Called) -> Item:
        numbers: list[int] = []
        arguments: list[Hashable] = []
        for place, argument in enumerate(call.arguments):
            known = self.ids.get((call.arguments[0], argument)) if _names_pool(call, place) else None  # type: ignore[arg-type]  # an id is a number
            if known is not None:
                numbers.append(known)
                arguments.append("id")
            else:
                arguments.append(self._value(argument, numbers))
        came: Hashable = "made"
        if call.method == "new_pool" and type(call.answer) is int:
            self.ids[call.arguments[0], call.answer] = self.made
            self.made += 1
        else:
            came = self._value(call.answer, numbers)
        return Item(_Shape(call.backend, call.method, tuple(arguments), call.holder, came), tuple(numbers))

    def _value(self, value: object, numbers: list[int]) -> Hashable:
        if isinstance(value, bytes):
            if (found := pages.stamped(value)) is not None:
                self.stamped = True
                numbers += found[1]
                return "stamped", found[0]
            numbers.append(self.pages.setdefault(value, len(self.pages)))
            return "page"
        if type(value) is int:
            numbers.append(value)
            return "number"
        if isinstance(value, Raised):
            return "text", f"Raised({value.type!r}, {value.errno!r})"
        return "text", f"Strange({value.text!r})" if isinstance(value, Strange) else repr(value)

    def _arguments(self, shape: _Shape, numbers: _Numbers) -> tuple[str, str]:
        written = "".join(f"{_written(each, numbers)}, " for each in shape.arguments)
        return f"{shape.backend}, {shape.method!r}, ", written

    def _call(self, shape: Hashable, numbers: _Numbers) -> str:
        assert isinstance(shape, _Shape)
        first, rest = self._arguments(shape, numbers)
        if shape.came == "made":
            return f"calls.new_pool({shape.backend}, {rest.removesuffix(', ')})"
        return f"calls.call({first}{rest}came={_written(shape.came, numbers)}{_held(shape)})"

    def _loop(self, loop: Loop) -> Iterator[str]:
        table: list[Sequence[int]] = []
        lines = []
        for place in range(loop.body):
            repeated = loop.items[place :: loop.body]
            columns = list(zip(*(item.numbers for item in repeated), strict=True))
            numbers = _Numbers([_expression(each, table, loop.times) for each in columns])
            lines.append(self._call(repeated[0].shape, numbers))
        if loop.times == 1:
            yield from lines
            return
        if table:
            names = "".join(f"t{number}, " for number in range(len(table)))
            rows = ", ".join(map(str, zip(*table, strict=True)))
            yield f"for n, ({names}) in enumerate([{rows}]):"
        else:
            yield f"for n in range({loop.times}):"
        yield from (f"    {line}" for line in lines)


class _Numbers:
    """Expressions of numbers, taken one after the other."""

    def __init__(self, written: Sequence[str]) -> None:
        self._left = iter(written)

    def take(self) -> str:
        return next(self._left)


def _names_pool(call: Called, place: int) -> bool:
    return place == 1 and call.method not in ("new_pool", "reclaim")


def _written(kind: Any, numbers: _Numbers) -> str:
    match kind:
        case "id":
            return f"calls.ids[{numbers.take()}]"
        case "page":
            number = numbers.take()
            return f"page_{number}" if number.isdigit() else f"globals()[f'page_{{{number}}}']"
        case "number":
            return numbers.take()
        case ("stamped", texture):
            return f"page({texture!r}, {', '.join(numbers.take() for _ in range(5))})"
        case _:
            return str(kind[1])


def _held(shape: _Shape) -> str:
    return "" if shape.holder in ("", "bytes") else f", holder={shape.holder}"


def _expression(numbers: Sequence[int], table: list[Sequence[int]], times: int) -> str:
    found = column(numbers)
    if found is None:
        if numbers not in table:
            table.append(numbers)
        return f"t{table.index(numbers)}"
    first, step = found
    if not step or times == 1:
        return str(first)
    more = "n" if step == 1 else f"{step} * n"
    return more if not first else f"{first} + {more}"
