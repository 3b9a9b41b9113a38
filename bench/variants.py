"""The variants of the store that are measured, by name: one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tmem.impl import Store

VARIANTS: dict[str, Callable[..., Any]] = {
    "pure": Store,
}
"""Each takes the arguments of `tmem.impl.Store`, the budget first."""

PLANNED = ("compiled",)
"""Variants that are to be reached and not there yet; the tables name them."""
