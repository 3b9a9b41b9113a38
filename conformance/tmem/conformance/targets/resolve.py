"""Finds what a TARGET stands for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, TypeAlias

from tmem.conformance.compiled.library import LibraryError, load
from tmem.conformance.compiled.store import open_store
from tmem.conformance.remote.connection import LostError, ProtocolError
from tmem.conformance.remote.server import SCHEMES, ServerError, server
from tmem.conformance.remote.store import RemoteStore
from tmem.conformance.targets import python
from tmem.conformance.targets.suggest import nearest
from tmem.conformance.targets.target import Target, TargetError, raised
from tmem.conformance.turn import LibrarySource, Source
from tmem.model import adversary, choices

GROUP: Final = "tmem.targets"
"""Entry points of this group are targets: name → `factory(budget: int | None = None) -> Backend`."""
PAGE: Final = 4096
Budgets: TypeAlias = tuple[int | None, ...]
BUDGETS: Final[Budgets] = (None, 4 * PAGE, None, 12 * PAGE)
"""Budgets in bytes that a registered target is given in turn: room without limit, and a few pages."""
FORMS: Final = (
    "impl, model:STRATEGY, py:package.module:factory, py:path/file.py:factory, so:./lib.so, "
    "cmd:./program args, unix:PATH, tcp:HOST:PORT"
)


def resolve(text: str, budgets: Budgets = BUDGETS) -> Target:
    """Return the target that a TARGET names. Raises TargetError, with one line, if there is none.

    Stores that take a budget are given these in turn, in bytes.
    """
    scheme, colon, rest = text.partition(":")
    if scheme == "model":
        return _model(text, rest if colon else "random")
    if scheme == "py" and colon:
        factory = python.load(text, rest)
        place, _, attribute = rest.rpartition(":")
        return Target(text, lambda number: factory(), Source(place, attribute))
    if scheme == "so" and colon:
        return _library(text, Path(rest), budgets)
    if scheme in SCHEMES and colon:
        return _remote(text, scheme, rest)
    return _registered(text, budgets)


def _model(text: str, strategy: str) -> Target:
    if strategy not in choices.STRATEGIES:
        names = list(choices.STRATEGIES)
        raise TargetError(f"{text}: there is no strategy {strategy!r}{nearest(strategy, names)}")
    variants = tuple((strategy, seed) for seed in range(len(BUDGETS)))
    source = Source(adversary.__name__, adversary.backend.__name__, variants)
    return Target(text, lambda number: adversary.backend(strategy, seed=number), source)


def _remote(text: str, scheme: str, rest: str) -> Target:
    try:
        found = server(scheme, rest)
    except ServerError as error:
        raise TargetError(f"{text}: {error}") from error

    def make(number: int) -> object:
        try:
            return RemoteStore(found)
        except (ServerError, ProtocolError, LostError) as error:
            raise TargetError(f"{text}: {error}") from error

    return Target(text, make)


def _library(text: str, path: Path, budgets: Budgets) -> Target:
    try:
        functions = load(path)
    except LibraryError as error:
        raise TargetError(f"{text}: {error}") from error
    source = LibrarySource(path, budgets)
    return Target(text, lambda number: open_store(functions, budgets[number % len(budgets)]), source)


def _registered(text: str, budgets: Budgets) -> Target:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if text not in found:
        raise TargetError(f"{text}: there is no such target{_meant(text, found)}")
    try:
        factory: object = found[text].load()
    except BaseException as error:
        raise TargetError(f"{text}: loading {found[text].value} raised {raised(error)}") from error
    if not callable(factory):
        raise TargetError(f"{text}: {found[text].value} is not callable; it must be a factory(budget=None)")
    make: Callable[..., object] = factory
    source = Source(found[text].module, found[text].attr, tuple((budget,) for budget in budgets))
    return Target(text, lambda number: make(budgets[number % len(budgets)]), source)


def _meant(text: str, found: dict[str, EntryPoint]) -> str:
    if ".py:" in text or text.endswith(".py"):
        return f"; a file is given as py:{text}" + ("" if ":" in text else ":factory")
    names = [*found, *(f"model:{name}" for name in choices.STRATEGIES)]
    return nearest(text, names, few=0) or f"; there are {FORMS}"
