"""A target: something that makes fresh backends."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tmem.conformance.turn import LibrarySource, Source
from tmem.spec.backend import Backend


class TargetError(Exception):
    """The target cannot be checked; the one line says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a TARGET stands for. `text` is how the user wrote it."""

    text: str
    make: Callable[[int], object]
    source: Source | LibrarySource | None = None

    def fresh(self, number: int = 0) -> Backend:
        """A new backend; equal numbers, equal backends. TargetError where the factory raises."""
        try:
            return cast(Backend, self.make(number))  # the handshake looks whether it is one
        except TargetError:
            raise
        except BaseException as error:  # SystemExit of a factory must not end the suite
            raise TargetError(f"{self.text}: the factory raised {raised(error)}") from error


def raised(error: BaseException) -> str:
    """An exception of a target in one line: its type, what it says, and where it was raised."""
    first = (str(error).strip() or "no message").splitlines()[0]
    message = f"{type(error).__name__}: {first}"
    if isinstance(error, SyntaxError):  # it names its place itself
        return message
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _ours(frame.filename)]
    if not theirs:
        return message
    return f"{message} ({theirs[-1].filename}:{theirs[-1].lineno})"


def _ours(filename: str) -> bool:
    return filename.startswith("<frozen") or Path(filename).is_relative_to(Path(__file__).parents[1])
