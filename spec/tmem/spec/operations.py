"""The operations of tmem as values, how a backend is called for each, and what a call may answer.

An operation is a value of one of eight classes. A backend is called with flat arguments: `flat` gives the
method and the arguments of an operation, `from_flat` makes the operation of a method and its arguments.
Both read one table, `SIGNATURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

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
Argument: TypeAlias = int | bytes | None
"""A flat argument: an id, an index, flags, a UUID, a number of pages, or a page."""


@dataclass(frozen=True, slots=True)
class Signature:
    """How a backend is called for one class of operations: the method, and the names of its arguments."""

    operation: type[Operation]
    method: str
    arguments: tuple[str, ...]


SIGNATURES: Final[Mapping[str, Signature]] = MappingProxyType(
    {
        signature.method: signature
        for signature in (
            Signature(Put, "put", ("client", "pool", "oid", "index", "page")),
            Signature(Get, "get", ("client", "pool", "oid", "index")),
            Signature(FlushPage, "flush_page", ("client", "pool", "oid", "index")),
            Signature(FlushObject, "flush_object", ("client", "pool", "oid")),
            Signature(NewPool, "new_pool", ("client", "flags", "uuid")),
            Signature(DestroyPool, "destroy_pool", ("client", "pool")),
            Signature(PoolFlags, "pool_flags", ("client", "pool")),
            Signature(Reclaim, "reclaim", ("pages",)),
        )
    }
)
"""The operations by method. The arguments stand in the order of the backend's method."""


def flat(operation: Operation) -> tuple[str, tuple[Argument, ...]]:
    """The method and the arguments with which a backend is called for an operation.

    >>> flat(Get(1, Handle(0, 7, 3))), flat(Reclaim(2))
    (('get', (1, 0, 7, 3)), ('reclaim', (2,)))
    """
    method, read = _READERS[type(operation)]
    return method, read(operation)


def from_flat(method: str, arguments: tuple[Argument, ...]) -> Operation:
    """The operation of a method and its arguments; the inverse of `flat`.

    The arguments are taken as they are. KeyError where there is no such method, TypeError where the number of
    arguments is wrong.

    >>> from_flat("flush_page", (1, 0, 7, 3))
    FlushPage(client=1, handle=Handle(pool=0, oid=7, index=3))
    """
    make = cast(Callable[..., Operation], SIGNATURES[method].operation)
    if method in _HANDLED:
        handle = Handle(*cast(tuple[int, int, int], arguments[1:4]))
        return make(arguments[0], handle, *arguments[4:])
    return make(*arguments)


def _reader(signature: Signature) -> Callable[[Operation], tuple[Argument, ...]]:
    handled = signature.method in _HANDLED
    paths = [f"handle.{name}" if handled and name in _HANDLE else name for name in signature.arguments]
    read: Callable[[Operation], Any] = attrgetter(*paths)
    return read if len(paths) > 1 else lambda operation: (read(operation),)


_HANDLE: Final = ("pool", "oid", "index")
_HANDLED: Final = frozenset(method for method, each in SIGNATURES.items() if "index" in each.arguments)
"""The methods of the operations that hold a handle."""
_READERS: Final = {each.operation: (each.method, _reader(each)) for each in SIGNATURES.values()}


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
