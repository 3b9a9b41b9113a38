"""The store under proof: a private copy of `tmem.impl`, as it is or with a bug, open between its statements.

In the copy a function is called between any two statements that touch what others may see, around the
calls inside them, and before a lock is taken and after it is released. Numbers that only large stores
reach are made small, so that small ones do: sweeps of the reclaim order, pauses, and more than one batch
of a reclaim happen with a handful of pages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

from tmem.conformance.loader import Environment, load, replace
from tmem.conformance.loader.expressions import POINT, POINTED
from tmem.conformance.loader.points import with_points
from tmem.impl import Store
from tmem.impl.order import Order
from tmem.impl.pool import Object
from tmem.impl.reclaim import Struck
from tmem.impl.room import Room

IMPL: Final = "tmem.impl"


class Bug(NamedTuple):
    """In the module of this name in `tmem.impl`, `right` becomes `wrong`."""

    module: str
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Copy:
    """What contracts use of a private copy."""

    store: type[Store]
    object: type[Object]
    order: type[Order]
    strike: Callable[[Room, int, int], Struck]
    batch: int


class Points:
    """Where something else may run: `meanwhile` is called at each point that the code comes by."""

    meanwhile: Callable[[], None] | None = None


def point() -> None:
    """A point between two statements."""
    if Points.meanwhile is not None:
        Points.meanwhile()


class Lock:
    """A lock with its points. A contract has one thread: if that waits, it waits forever."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; an AssertionError where that would never come to an end."""
        point()
        assert not (blocking and self._held), "a deadlock: the lock is held by who waits for it"
        taken, self._held = not self._held, True
        return taken

    def release(self) -> None:
        """Give it back."""
        assert self._held, "a lock is released that is not held"
        self._held = False
        point()

    def _is_owned(self) -> bool:
        return self._held

    def locked(self) -> bool:
        """Return whether it is held."""
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


def held(lock: threading.RLock) -> bool:
    """Return whether a lock of the copy is held."""
    return cast(Lock, lock).locked()


def _threading() -> ModuleType:
    """`threading`, with locks of ours."""
    module = ModuleType("threading")
    module.__dict__.update(vars(threading), RLock=Lock)
    return module


def _pointed(value: object) -> object:
    point()
    return value


SMALL: Final[Mapping[str, Mapping[str, object]]] = {
    "order": {"SLACK": -100, "SWEEP": 1},
    "reclaim": {"BATCH": 2, "PIECE": 1, "pause": point},
    "drain": {"HOLD": 1, "PIECE": 1, "pause": point},
    "many": {"PIECE": 2},
}
"""What is other than it was, by module. A pause is a point, and takes no time."""


@cache
def copied(bug: Bug | None) -> Copy:
    """The copy with this bug; LoadError where the code that is to be broken is not there."""
    environment = Environment({"threading": _threading()}, {POINT: point, POINTED: _pointed}, with_points)
    rewrite = {f"{IMPL}.{bug.module}": replace(bug.right, bug.wrong)} if bug else {}
    modules = load(f"{IMPL}.store", "Store", environment, rewrite).modules
    for name, numbers in SMALL.items():
        for number, value in numbers.items():
            _set(modules[f"{IMPL}.{name}"], number, value)

    def part(module: str, name: str) -> Any:  # what a module holds has no type
        return getattr(modules[f"{IMPL}.{module}"], name)

    return Copy(
        cast(type[Store], part("store", "Store")),
        cast(type[Object], part("pool", "Object")),
        cast(type[Order], part("order", "Order")),
        part("reclaim", "strike"),
        part("reclaim", "BATCH"),
    )


def _set(module: object, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise AttributeError(f"{module} has no {name} that could be made small")
    setattr(module, name, value)


class Current:
    """The copy that contracts run on."""

    copy: Copy


def use(bug: Bug | None) -> None:
    """Let contracts run on the copy with this bug, or on one without."""
    Current.copy = copied(bug)
