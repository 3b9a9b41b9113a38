"""Keeps the calls of a replay, each before it is made: the file has all of them, even if the target dies."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tmem.spec.backend import OPERATIONS, Backend
from tmem.spec.operations import Argument, Raised

MOST: Final = 60_000
"""Calls that are kept. A program with more is no script that anybody reads."""
CLOSE: Final = "close"
_METHODS: Final = (*OPERATIONS, "reclaim", "pool_flags")
_KEPT: Final = ("page_size", "claims")


@dataclass(frozen=True, slots=True)
class Strange:
    """An answer that no operation declares, as its text."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A call as it was made. `holder` is the type as which a put passed its page, which it then overwrote.

    `answered` is false if the call never returned. `backend` counts the backends of the replay.
    """

    backend: int
    method: str
    arguments: tuple[Argument, ...]
    holder: str
    answered: bool
    answer: object


@dataclass(frozen=True, slots=True)
class Recording:
    """The calls of a replay, and the number by which each of its backends was made (see `Turn.fresh`)."""

    made: tuple[int, ...]
    calls: tuple[Called, ...]
    whole: bool
    """Whether all calls were kept."""


class Recorder:
    """Makes backends whose calls it writes to a file."""

    def __init__(self, path: Path, make: Callable[[int], Backend]) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._make = make
        self._made = self._calls = 0

    def fresh(self, number: int) -> Backend:
        """A new backend that is recorded, under its number."""
        self._write(["made", number])
        made: Any = _Recorded(self._make(number), self._made, self._call)
        self._made += 1
        return made  # type: ignore[no-any-return]  # it has the methods of the one it stands before

    def _call(self, backend: int, method: str, called: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self._calls += 1
        keeps = self._calls <= MOST
        if keeps:
            self._write(["call", backend, method, *_plain_arguments(method, arguments)])
        try:
            answer = called(*arguments)
        except BaseException as error:
            if keeps:
                raised = Raised.of(error)
                self._write(["raised", raised.type, raised.errno, raised.text])
            raise
        if keeps:
            self._write(["answer", _plain(answer)])
        elif self._calls == MOST + 1:
            self._write(["more"])
        return answer

    def _write(self, line: list[object]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


class _Recorded:
    """Stands before a backend, with the methods that it has: abilities are found by looking for them."""

    def __init__(self, backend: Backend, number: int, call: Callable[..., Any]) -> None:
        for name in _KEPT:
            if hasattr(backend, name):
                setattr(self, name, getattr(backend, name))
        for name in _METHODS:
            if (method := getattr(backend, name, None)) is not None:
                setattr(self, name, _through(call, number, name, method))


def _through(
    call: Callable[..., Any], number: int, name: str, method: Callable[..., Any]
) -> Callable[..., Any]:
    return lambda *arguments: call(number, name, method, arguments)


def _plain_arguments(method: str, arguments: tuple[Any, ...]) -> tuple[list[object], str]:
    if method != "put":
        return [*arguments], ""
    page = arguments[-1]
    return [*arguments[:-1], _plain(bytes(page))], type(page).__name__


def _plain(value: object) -> object:
    if type(value) is bytes:
        return {"page": base64.b64encode(value).decode()}
    if value is None or type(value) in (bool, int):
        return value
    return {"strange": f"{value!r:.200}"}


def read(path: Path) -> Recording:
    """What a recorder wrote, up to the last whole line."""
    made: list[int] = []
    calls: list[Called] = []
    whole = True
    for text in path.read_bytes().split(b"\n")[:-1]:
        kind, *rest = json.loads(text)
        match kind:
            case "made":
                made.append(rest[0])
            case "call":
                backend, method, arguments, holder = rest
                calls.append(Called(backend, method, tuple(map(_value, arguments)), holder, False, None))
            case "more":
                whole = False
            case _:
                answer = Raised(*rest) if kind == "raised" else _value(rest[0])
                last = calls.pop()
                calls.append(Called(last.backend, last.method, last.arguments, last.holder, True, answer))
    return Recording(tuple(made), tuple(calls), whole)


def _value(plain: Any) -> Any:
    match plain:
        case {"page": str(text)}:
            return base64.b64decode(text)
        case {"strange": str(text)}:
            return Strange(text)
        case _:
            return plain
