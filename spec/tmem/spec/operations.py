"""The operations of tmem, as values, and what they may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tmem.spec.handle import Handle


@dataclass(frozen=True, slots=True)
class NewPool:
    """Make a pool, or join the shared pool of a UUID; answers its id [X]."""

    client: int
    flags: int = 0
    uuid: int | None = None


@dataclass(frozen=True, slots=True)
class DestroyPool:
    """End a pool for one client; answers whether there was one [T][X]."""

    client: int
    pool: int


@dataclass(frozen=True, slots=True)
class Put:
    """Copy a page in; answers whether the slot holds it now [T]."""

    client: int
    handle: Handle
    page: bytes


@dataclass(frozen=True, slots=True)
class Get:
    """Copy a page out; answers the page, or None for a miss [T]."""

    client: int
    handle: Handle


@dataclass(frozen=True, slots=True)
class FlushPage:
    """Invalidate one slot; answers, informatively, whether something was found [T][X]."""

    client: int
    handle: Handle


@dataclass(frozen=True, slots=True)
class FlushObject:
    """Invalidate every index of an object; answers, informatively, whether something was found [T][X]."""

    client: int
    pool: int
    oid: int


@dataclass(frozen=True, slots=True)
class PoolFlags:
    """Ask what kind of pool was granted; answers its flags."""

    client: int
    pool: int


@dataclass(frozen=True, slots=True)
class Reclaim:
    """Give up to `pages` ephemeral pages back to the host; answers how many went [P]."""

    pages: int


Operation: TypeAlias = NewPool | DestroyPool | Put | Get | FlushPage | FlushObject | PoolFlags | Reclaim


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception in the place of an answer; `errno` is None unless it was an OSError."""

    type: str
    errno: int | None = None
    text: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Raised:
        """The record of an exception that a backend raised."""
        return cls(type(error).__name__, error.errno if isinstance(error, OSError) else None, str(error))

    def __str__(self) -> str:
        from tmem.spec.abi.errors import name  # the names of errnos are the ABI's

        return name(self.errno) if self.errno is not None else f"{self.type}({self.text})"


Answer: TypeAlias = bool | int | bytes | Raised | None
"""What came back: a value, or the exception that came instead."""
