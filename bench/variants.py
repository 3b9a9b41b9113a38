"""The variants of the store that are measured, by name: one line each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.subjects import Missing
from tmem.impl import Store
from tmem.impl.codec import Codec
from tmem.impl.codec.held import HeldLz4

PURE, HELD, COMPILED = "pure", "held", "compiled"


def native(page_size: int) -> Codec:
    """The codec that has to be compiled; Missing where it is not."""
    try:
        from tmem.impl.codec.native import NativeLz4
    except ImportError as error:
        raise Missing(str(error)) from None
    return NativeLz4(page_size)


VARIANTS: dict[str, Callable[..., Any]] = {
    PURE: Store,
    HELD: partial(Store, codec=HeldLz4),
    COMPILED: partial(Store, codec=native),
}
"""Each takes the arguments of `tmem.impl.Store`, the budget first."""
