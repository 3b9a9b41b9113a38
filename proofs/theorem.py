"""What a theorem is, and the register of all of them.

A theorem is a function whose parameters range over every value of their types. It returns False
outside its premise, asserts its conclusion, and returns True where the interesting case was reached.
So it carries two conditions: the theorem (no assertion ever fails), which must be confirmed over all
paths, and its witness (the function claims never to return True), which must be refuted: a premise
that nothing meets would be confirmed as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec

from tmem.spec.clauses import CLAUSES, Clause

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True, slots=True)
class Theorem:
    """A statement about the specification and the ids of the clauses that it proves something of."""

    function: Callable[..., bool]
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The function's name, read as a sentence."""
        return self.function.__name__

    @property
    def statement(self) -> str:
        """The first paragraph of the function's docstring."""
        return " ".join((self.function.__doc__ or "").partition("\n\n")[0].split())

    @property
    def place(self) -> str:
        """The function by its dotted name."""
        return f"{self.function.__module__}.{self.name}"


THEOREMS: Final[dict[str, Theorem]] = {}
"""Every theorem by its name, in the order of the modules."""


def theorem(*clauses: str) -> Callable[[Callable[Arguments, bool]], Callable[Arguments, bool]]:
    """Register the decorated function as a theorem about these clauses."""

    def decorate(function: Callable[Arguments, bool]) -> Callable[Arguments, bool]:
        if function.__name__ in THEOREMS:
            raise ValueError(f"there are two theorems {function.__name__}")
        THEOREMS[function.__name__] = Theorem(function, clauses)
        return function

    return decorate


def index() -> dict[str, list[str]]:
    """The names of the theorems about a clause that use the function that decides it, by the clause's id."""
    found: dict[str, list[str]] = {}
    for entry in THEOREMS.values():
        for clause in entry.clauses:
            if uses(entry, CLAUSES[clause]):
                found.setdefault(clause, []).append(entry.name)
    return dict(sorted(found.items()))


def uses(theorem: Theorem, clause: Clause) -> bool:
    """Whether a theorem uses the function that decides a clause, by name or as one of a named tuple."""
    scope = vars(sys.modules[theorem.function.__module__])
    used = [scope.get(name) for name in theorem.function.__code__.co_names]
    return any(each is clause.decide or (isinstance(each, tuple) and clause.decide in each) for each in used)
