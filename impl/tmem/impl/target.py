"""The entry point by which the conformance suite finds this implementation."""

from __future__ import annotations

from tmem.impl.store import Store


def factory(budget: int | None = None) -> Store:
    """A fresh store with this budget in bytes."""
    return Store(budget)
