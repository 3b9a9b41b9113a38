"""What a fault is, and the register of all faults."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from tmem.spec.backend import Backend

LOST: Final = ("TMEM-GET-3", "TMEM-RECLAIM-1", "TMEM-SHARE-1", "TMEM-SHARE-2")
"""The clauses that a lost persistent page may break; which one depends on what happened since its put."""

STALE: Final = ("TMEM-PUT-3", "TMEM-PUT-1", "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-GET-1")
"""The clauses that a stale page may break; which one depends on what had ended the page."""

SHOWN: Final = (
    *("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", "TMEM-SHARE-1", "TMEM-GET-2", *STALE),
    *("TMEM-POOL-3", "TMEM-ARG-1"),
)
"""The clauses that any wrong page may break; which one depends on its slot and on what had ended it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A bug that can be added to a correct backend by wrapping it.

    `clauses` are the clauses that it may be blamed on; the first is the one that it was written for. `needs`
    names what the backend must offer or do for the fault to show: `str(Kind)` of a pool, `shared` for either
    kind of shared pool, `reclaim`, or a coverpoint of `coverage.CHOICES`. `history` lists the numbers in
    `past_bugs.PAST_BUGS` of the real bugs that it imitates. A fault of kind `races` shows only where calls
    overlap. One of kind `liveness` hangs or ends the process. One of kind `claims` breaks a claim and no
    clause.
    """

    name: str
    sentence: str
    clauses: tuple[str, ...]
    kind: str
    wrap: Callable[[Backend], Backend]
    needs: tuple[str, ...] = ()
    history: tuple[int, ...] = ()


FAULTS: Final[dict[str, Fault]] = {}
"""Every fault by its name."""


class _Named(Protocol):
    __name__: str
    __module__: str


N = TypeVar("N", bound=_Named)
Wrapper = TypeVar("Wrapper", bound=Callable[..., Backend])


def fault(
    *clauses: str, needs: tuple[str, ...] = (), history: tuple[int, ...] = ()
) -> Callable[[Wrapper], Wrapper]:
    """Register a class that wraps a backend: its name names the fault, its docstring is the sentence."""

    def decorate(wrapper: Wrapper) -> Wrapper:
        register(wrapper, wrapper, clauses, needs, history)
        return wrapper

    return decorate


def register(
    source: object,
    wrap: Callable[[Backend], Backend],
    clauses: tuple[str, ...],
    needs: tuple[str, ...] = (),
    history: tuple[int, ...] = (),
) -> None:
    """Register a fault with the name and docstring of `source`, a class or function."""
    name = kebab(getattr(source, "__name__", ""))
    if name in FAULTS:
        raise ValueError(f"there are two faults {name}")
    sentence = " ".join((inspect.getdoc(source) or "").split())
    kind = getattr(source, "__module__", "").partition(".faults.")[2].partition(".")[0]
    FAULTS[name] = Fault(name, sentence, clauses, kind, wrap, needs, history)


def kebab(name: str) -> str:
    """Return the name of a class or function in the form that faults are named in.

    >>> kebab("GetKeeps8Pages"), kebab("index_31_bits")
    ('get-keeps-8-pages', 'index-31-bits')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])", "-", name)
    return parted.replace("_", "-").lower()
