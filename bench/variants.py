"""The variants of the store that are measured, by name: one line each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tmem.impl import Store
from tmem.impl.codec import Codec
from tmem.impl.codec.held import HeldLz4


def native(page_size: int) -> Codec:
    """The codec that has to be compiled; ImportError where it is not."""
    from tmem.impl.codec.native import NativeLz4

    return NativeLz4(page_size)


VARIANTS: dict[str, Callable[..., Any]] = {
    "pure": Store,
    "pure, held": partial(Store, codec=HeldLz4),
    "compiled": partial(Store, codec=native),
}
"""Each takes the arguments of `tmem.impl.Store`, the budget first."""

PLANNED = ()
