"""What every program in Python begins with: it makes calls, prints them, and compares their answers.

Its text goes into the program, so it imports the standard library only.
"""

from __future__ import annotations

# --- from here on it is the program's
import base64
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

BROKEN, ALLOWED, SHOWS_NOTHING, DONE = 1, 0, 3, 42
"""Exit codes; the last one is of the process that makes the calls, where they may end it."""


class Raised:
    """An exception in the place of an answer."""

    def __init__(self, kind: str, errno: int | None = None) -> None:
        self.kind, self.errno = kind, errno

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raised) and (self.errno or self.kind) == (other.errno or other.kind)

    def __hash__(self) -> int:
        return hash(self.errno or self.kind)

    def __repr__(self) -> str:
        return f"{self.kind}({self.errno or ''})"


class Strange:
    """An answer that no operation declares, as its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return f"{other!r:.200}" == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


class Calls:
    """The calls on backends, and the ids of the pools in the order in which they were made."""

    def __init__(self) -> None:
        self.backends: list[Any] = []
        self.ids: list[int] = []
        self.count = 0

    def ask(self, backend: int, method: str, arguments: Sequence[Any], holder: Callable[[Any], Any]) -> Any:
        """Make a call. A caller may write over its page as soon as a put has returned, and this one does."""
        page = None
        if holder is not bytes:
            page = holder(bytearray(arguments[-1]))
            arguments = (*arguments[:-1], page)
        self.count += 1
        print(f"#{self.count} {method}({', '.join(map(brief, arguments))})", end="", flush=True)
        try:
            return getattr(self.backends[backend], method)(*arguments)
        except BaseException as error:
            return Raised(type(error).__name__, getattr(error, "errno", None))
        finally:
            if page is not None:
                page[:] = repeated(b"scribbled over after the put\n".hex(), len(page))

    def call(self, backend: int, method: str, *arguments: Any, came: Any, holder: Any = bytes) -> None:
        """Make a call, and leave where it is answered otherwise than in the run."""
        answer = self.ask(backend, method, arguments, holder)
        print(f" -> {brief(answer)}", flush=True)
        if not same(answer, came):
            print(f"In the run that found the violation it was {brief(came)}: this run shows nothing.")
            leave(SHOWS_NOTHING)

    def new_pool(self, backend: int, *arguments: Any) -> None:
        """Make a pool, whose id the target chooses."""
        answer = self.ask(backend, "new_pool", arguments, bytes)
        print(f" -> {brief(answer)}", flush=True)
        if type(answer) is not int:
            print("In the run that found the violation it made a pool: this run shows nothing.")
            leave(SHOWS_NOTHING)
        self.ids.append(answer)

    def last(
        self,
        backend: int,
        method: str,
        *arguments: Any,
        allowed: Sequence[Any],
        any_id: bool = False,
        taken: Sequence[int] = (),
        holder: Any = bytes,
    ) -> NoReturn:
        """Make the call that broke the clause, and leave with what its answer says."""
        answer = self.ask(backend, method, arguments, holder)
        print(f" -> {brief(answer)}", flush=True)
        print("Allowed:", ", ".join(map(brief, allowed)), *["another id"] * any_id)
        right = any(same(answer, each) for each in allowed)
        if right or (any_id and type(answer) is int and answer >= 0 and answer not in taken):
            print("The answer is allowed.")
            leave(ALLOWED)
        broken()


def repeated(pattern: str, length: int) -> bytes:
    """A page that repeats a pattern."""
    least = bytes.fromhex(pattern)
    return (least * (length // len(least) + 1))[:length]


def unpacked(text: str) -> bytes:
    """A page that was compressed."""
    return zlib.decompress(base64.b85decode(text))


def brief(value: object) -> str:
    """A value in a few characters."""
    if isinstance(value, bytes | bytearray | memoryview) and len(value) > 24:
        return f"<page {zlib.crc32(value):08x}>"
    return repr(value)


def same(answer: Any, other: Any) -> bool:
    """Whether two answers are the same, types included: 1 is not True."""
    if isinstance(other, Raised | Strange):
        return bool(other == answer)
    return type(answer) is type(other) and bool(answer == other)


def in_another_process(seconds: float) -> None:
    """Make the calls in a process that may hang or die; returns in that process."""
    if len(sys.argv) > 1:
        return
    try:
        code = subprocess.run([sys.executable, __file__, "calls"], timeout=seconds, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"\nThe last call did not return within {seconds} s.")
        broken()
    if code == DONE:
        print("Every call has returned, as the clause asks.")
        leave(ALLOWED)
    if code == SHOWS_NOTHING:
        leave(SHOWS_NOTHING)
    print(f"\nThe last call ended the process: {code}.")
    broken()


def broken() -> NoReturn:
    """Leave where the clause is broken."""
    print(f"{CLAUSE} is broken.")
    leave(BROKEN)


def leave(code: int) -> NoReturn:
    """Leave at once, whatever threads the target has."""
    sys.stdout.flush()
    os._exit(code)


CLAUSE = ""
calls = Calls()
