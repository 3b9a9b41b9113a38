"""The errnos of the ABI: those of Linux that Xen's tmem answers, and two of Xen's own [X]."""

from __future__ import annotations

from typing import Final

EPERM: Final = 1
"""Refused: flags not taken, no authorisation, a cap."""
ENOMEM: Final = 12
"""No room."""
ENODEV: Final = 19
"""No such pool."""
EINVAL: Final = 22
"""An argument out of range."""
ENOSPC: Final = 28
"""No room in a pool or object."""
EFROZEN: Final = 1000
"""The client is frozen: a put fails, a flush has flushed."""
EEMPTY: Final = 1001
"""A get that misses."""

NAMES: Final = {
    EPERM: "EPERM",
    ENOMEM: "ENOMEM",
    ENODEV: "ENODEV",
    EINVAL: "EINVAL",
    ENOSPC: "ENOSPC",
    EFROZEN: "EFROZEN",
    EEMPTY: "EEMPTY",
}

PUT_FAILED: Final = frozenset({ENOMEM, ENOSPC, EFROZEN})
"""The errnos of a put that failed: the slot holds nothing."""
POOL_REFUSED: Final = frozenset({EPERM, ENOMEM})
"""The errnos of a new pool that was refused."""


def name(errno: int) -> str:
    """The name of an errno as the ABI has it.

    >>> name(12), name(1001), name(5)
    ('ENOMEM', 'EEMPTY', 'errno 5')
    """
    return NAMES.get(errno, f"errno {errno}")
