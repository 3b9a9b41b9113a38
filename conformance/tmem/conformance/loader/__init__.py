"""Loads a fresh private copy of Python code under test, with switch points and rewrites.

`schedules.runtime.load` loads targets by it; all other engines use what `targets.python` imported. `imports`
executes modules. `points` puts switch points between statements, `expressions` those inside of them, and
`names` learns where none is needed. Imports nothing else of `conformance`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from tmem.conformance.loader.imports import UNCHANGED, Environment, Importer, Rewrite

__all__ = ["UNCHANGED", "Environment", "LoadError", "Loaded", "Rewrite", "load", "replace"]


class LoadError(Exception):
    """The code cannot be loaded. The text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A callable that was loaded, with its own private modules."""

    value: Callable[..., Any]
    modules: Mapping[str, ModuleType]
    foreign: Set[str] = frozenset()
    """Names of the packages and compiled modules that are used unchanged, including those of late imports."""
    notes: tuple[str, ...] = field(default=())
    """Lines that say which packages are not private, and why."""


def load(
    target: str,
    attribute: str,
    environment: Environment = UNCHANGED,
    rewrite: Mapping[str, Rewrite] | None = None,
) -> Loaded:
    """Load `attribute` of a module (a dotted name) or of a `.py` file (a path) afresh.

    `rewrite` maps names of modules to functions from the source to the source or tree that is executed
    instead. Raises LoadError if the target cannot be loaded, or does not import a module of `rewrite`.
    """
    file = Path(target).resolve() if target.endswith(".py") else None
    if file is not None and not file.is_file():
        raise LoadError(f"{target}: there is no such file")
    importer = Importer(target, environment, rewrite or {}, file.parent if file else None)
    try:
        module = importer.load_file(file) if file is not None else importer.load(target)
    except Exception as error:
        raise LoadError(f"{target} cannot be loaded: {explain(error)}") from error
    value = module
    for name in attribute.split("."):
        value = getattr(value, name, None)  # type: ignore[assignment]
        if value is None:
            raise LoadError(f"{target} has no {attribute}")
    if not callable(value):
        raise LoadError(f"{target}:{attribute} is not callable")
    if unused := sorted(set(rewrite or {}) - importer.rewritten):
        raise LoadError(f"{target} does not import {', '.join(unused)}, which was to be rewritten")
    return Loaded(value, importer.private, importer.foreign, tuple(importer.notes))


def replace(old: str, new: str, count: int = 1) -> Rewrite:
    """Return a rewrite that replaces a text that occurs `count` times. It raises LoadError for another count.

    >>> replace("a", "b")("a = 1")
    'b = 1'
    """

    def rewrite(source: str) -> str:
        if source.count(old) != count:
            raise LoadError(f"{old.strip().splitlines()[0]!r} occurs {source.count(old)} times, not {count}")
        return source.replace(old, new)

    return rewrite


def explain(error: BaseException) -> str:
    """Describe an error, with the innermost line of loaded code that raised it."""
    if isinstance(error, LoadError):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    text = f"{type(error).__name__}: {error}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(HERE)]
    frames = [f for f in frames if not f.filename.startswith("<frozen")]
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


HERE: Final = str(Path(__file__).parent)
