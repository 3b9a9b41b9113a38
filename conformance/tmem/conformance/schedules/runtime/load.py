"""Loads a target twice, with virtual threads: with switch points at locks only, and at statements too
(`loader.points` puts them in).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Literal

from tmem.conformance.loader import Environment, Loaded, Rewrite
from tmem.conformance.loader import load as load_over
from tmem.conformance.loader.expressions import POINT, POINTED
from tmem.conformance.loader.names import Names
from tmem.conformance.loader.points import with_points
from tmem.conformance.schedules.runtime.modules import VIRTUAL
from tmem.conformance.schedules.runtime.scheduler import scheduler

Level = Literal["lock", "statement"]
LEVELS: Final[tuple[Level, ...]] = ("lock", "statement")
"""Switch points where locks are acquired and released; or between statements and around calls too."""


def pointed(value: object) -> object:
    """Return the value, after a switch point."""
    scheduler.left -= 1
    if not scheduler.left:
        scheduler.reached()
    return value


BLOCKING: Final = frozenset(
    {"_socket", "_sqlite3", "asyncio", "ctypes.CDLL", "dbm", "fcntl", "http", "multiprocessing", "select"}
    | {"selectors", "shelve", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "urllib", "xmlrpc"}
)
"""Modules of the standard library that may block a thread outside Python, or know which thread calls them."""
HARMLESS: Final = frozenset({"lz4"})
"""Installed packages that do neither."""


def that_may_block(foreign: Iterable[str]) -> list[str]:
    """Those of the modules that may block a thread outside Python, or know which thread calls them."""
    tops = {name if name in BLOCKING else name.partition(".")[0] for name in foreign}
    return sorted(tops & BLOCKING | (tops - sys.stdlib_module_names - HARMLESS - BLOCKING))


_NAMES: Final[dict[str, object]] = {POINT: scheduler.point, POINTED: pointed}
_PRIVATE: Final = frozenset({"queue", "concurrent", "sched"})  # they use threading
_ABSENT: Final = frozenset({"_queue"})  # queue then uses its own queue, in Python


def environment(transform: Callable[[ast.Module], ast.Module], own: Iterable[str] = ()) -> Environment:
    """Virtual threads for code that `transform` changes, that of the packages `own` too."""
    return Environment(VIRTUAL, _NAMES, transform, _PRIVATE, _ABSENT, frozenset(own))


def load(
    target: str,
    attribute: str,
    rewrite: Mapping[str, Rewrite] | None = None,
    own: Iterable[str] = (),
) -> dict[Level, Loaded]:
    """Load a target once for each level (see `tmem.conformance.loader.load`), with virtual threads.

    The installed packages `own` get switch points, as the target's own code does.
    """
    names = Names()
    lock = load_over(target, attribute, environment(names.learn, own), rewrite)
    pointed = environment(partial(with_points, names=names), own)
    return {"lock": lock, "statement": load_over(target, attribute, pointed, rewrite)}
