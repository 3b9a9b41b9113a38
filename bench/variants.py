"""The variants of the store that are measured, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.subjects import Missing
from tmem.impl import Store
from tmem.impl.codec.held import HeldLz4

PURE, HELD, COMPILED = "pure", "held", "compiled"


def compiled(budget: int | None = None, **options: Any) -> Store:
    """Return the compiled store with its codec. Raises Missing if they are not compiled."""
    try:
        from tmem.impl.codec.native import NativeLz4
        from tmem.impl.compiled import Store as Compiled
    except ImportError as error:
        raise Missing(str(error)) from None
    return Compiled(budget, codec=NativeLz4, **options)


VARIANTS: dict[str, Callable[..., Any]] = {
    PURE: Store,
    HELD: partial(Store, codec=HeldLz4),
    COMPILED: compiled,
}
"""Each takes the arguments of `tmem.impl.Store`, the budget first."""
