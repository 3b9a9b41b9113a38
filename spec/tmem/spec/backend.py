"""The Protocol that a backend fulfils, and the further abilities that it may offer.

A backend needs no import of this module; arguments are flat and the match is by shape. All methods
may be called from several threads at once. Errors are `OSError` with an errno of `abi.errors`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Backend(Protocol):
    """The page store behind the tmem API [P]."""

    page_size: int
    """Bytes in a page."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool or join a shared one; its id. EPERM: flags not taken; ENOMEM: no room [X]."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client. Returns False or raises ENODEV if there is none [T][X]."""

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in. Where it fails (False, ENOMEM, ENOSPC, EFROZEN) the slot holds nothing [T]."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; None or EEMPTY for a miss. A private ephemeral hit removes the page [T]."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Invalidate one slot; whether something was found is informative [T]."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Invalidate every index of an object; whether something was found is informative [T]."""

    def close(self) -> None:
        """Give everything back; no operation follows."""


OPERATIONS = ("new_pool", "destroy_pool", "put", "get", "flush_page", "flush_object", "close")
"""The methods that a backend must have."""


@runtime_checkable
class Reclaims(Protocol):
    """The ability to give memory back on request."""

    def reclaim(self, pages: int) -> int:
        """Let go of up to `pages` ephemeral pages; how many went [P]."""


@runtime_checkable
class TellsFlags(Protocol):
    """The ability to report what kind of pool was granted."""

    def pool_flags(self, client: int, pool: int) -> int:
        """The flags that the pool really has, where a grant differs from the request."""


@runtime_checkable
class Claims(Protocol):
    """The statement that good properties hold which the contract cannot demand."""

    claims: frozenset[str]
    """Ids of `tmem.spec.clauses.CLAIMS`."""
