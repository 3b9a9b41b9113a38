"""What a contract on the implementation is, and the register of all of them.

A contract is a theorem (see `proofs.theorem`) whose function runs the code of `tmem.impl` in a store in an
arbitrary small state. It has bugs of its own (`bugs.py`), each of which must refute it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec

from proofs.theorem import Theorem

Arguments = ParamSpec("Arguments")

CONTRACTS: Final[dict[str, Theorem]] = {}
"""Every contract by its name, in the order of the modules."""
SEARCHED: Final[dict[str, float]] = {}
"""Of contracts whose paths cannot all be followed: the processor seconds for which they are searched."""


def contract(
    *clauses: str, searched: float | None = None
) -> Callable[[Callable[Arguments, bool]], Callable[Arguments, bool]]:
    """Register the decorated function as a contract that shows something of these clauses."""

    def decorate(function: Callable[Arguments, bool]) -> Callable[Arguments, bool]:
        if function.__name__ in CONTRACTS:
            raise ValueError(f"there are two contracts {function.__name__}")
        CONTRACTS[function.__name__] = Theorem(function, clauses)
        if searched is not None:
            SEARCHED[function.__name__] = searched
        return function

    return decorate
