"""Layers that change answers within the contract: errors, pool ids, pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.spec.abi.errors import ENODEV
from tmem.spec.backend import Backend
from tmem.spec.handle import in_range

ERRORS: Final[dict[str, type[Exception]]] = {
    "ValueError": ValueError,
    "OverflowError": OverflowError,
    "TypeError": TypeError,
}
"""Exceptions that may stand for EINVAL."""


class PythonErrors(Wrapper):
    """Refuses arguments out of range with an exception of Python, as a binding would."""

    def __init__(self, inner: Backend, error: str) -> None:
        super().__init__(inner)
        self.error = ERRORS[error]

    def check(self, fits: bool) -> None:
        """Raise the exception unless the arguments fit."""
        if not fits:
            raise self.error("out of range")

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.check(in_range(oid, index) and len(page) == self.page_size)
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.check(in_range(oid, index))
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.check(in_range(oid, index))
        return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.check(in_range(oid, 0))
        return super().flush_object(client, pool, oid)


Numbers = Callable[[int, random.Random], int]
NUMBERS: Final[dict[str, Numbers]] = {
    "never again": lambda n, dice: n,
    "every third": lambda n, dice: 3 * n,
    "wide": lambda n, dice: (1 << 31) - 1 - n,
    "any": lambda n, dice: dice.randrange(1 << 31),
    "few": lambda n, dice: dice.randrange(16),
    "alike for all": lambda n, dice: n % 16,
}
"""The id of the n-th pool of the store; an id in use is skipped."""


class PoolIds(Wrapper):
    """Replaces the pool ids of the backend by others."""

    def __init__(self, inner: Backend, numbers: str, dice: random.Random) -> None:
        super().__init__(inner)
        self.numbers, self.dice = NUMBERS[numbers], dice
        self.made = 0
        self.inside: dict[tuple[int, int], int] = {}
        if hasattr(inner, "pool_flags"):
            self.pool_flags = self._pool_flags  # only where the backend has it

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        inside = super().new_pool(client, flags, uuid)
        while True:
            number = self.numbers(self.made, self.dice)
            self.made += 1
            if (client, number) not in self.inside:
                self.inside[client, number] = inside
                return number

    def found(self, client: int, pool: int) -> int:
        """Return the id of the pool in the backend. Raises ENODEV if there is none."""
        if (client, pool) not in self.inside:
            raise OSError(ENODEV, "no such pool")
        return self.inside[client, pool]

    def destroy_pool(self, client: int, pool: int) -> bool:
        ended = super().destroy_pool(client, self.found(client, pool))
        del self.inside[client, pool]
        return ended

    def _pool_flags(self, client: int, pool: int) -> int:
        return int(self.inner.pool_flags(client, self.found(client, pool)))  # type: ignore[attr-defined]

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, self.found(client, pool), oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, self.found(client, pool), oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(client, self.found(client, pool), oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return super().flush_object(client, self.found(client, pool), oid)


class Slow(Wrapper):
    """Lets other threads run during every eighth put and get."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if self.every(8):
            time.sleep(0)
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if self.every(8):
            time.sleep(0)
        return super().get(client, pool, oid, index)
