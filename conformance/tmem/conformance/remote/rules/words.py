"""What several rules of the protocol use: pages, pools, and what answers may be."""

from __future__ import annotations

from typing import Final

from tmem.conformance.remote.dialogue import POOL, Dialogue, Want, WrongError, one_of
from tmem.spec.abi import errors, wire
from tmem.spec.abi.flags import PERSIST
from tmem.spec.operations import NewPool

BATCH: Final = 500
"""Requests that are sent at once."""
UNREAD: Final = 1 << 26
"""Bytes of answers that a peer asks for, at most, without reading one."""
LONGEST: Final = 1 << 24
"""The longest request that is tried."""
CLIENT: Final = 1
BAD: Final = one_of(-errors.EINVAL)
FLAG: Final = one_of(0, 1)
_STORED: Final = (0, 1, -errors.ENOMEM, -errors.ENOSPC, -errors.EFROZEN)
STORED: Final = one_of(*_STORED)
TAKEN: Final = one_of(*_STORED, -errors.EINVAL)
"""What a put of any length may answer."""
NOTHING: Final = one_of(0, -errors.ENODEV, -errors.EEMPTY)
"""What a get from no pool, or of no page, may answer."""
FLUSHED: Final = one_of(0, 1, -errors.EFROZEN)
UNKNOWN: Final = one_of(-wire.ENOSYS)


def page_of(size: int, number: int = 0) -> bytes:
    """A page in which no two neighbouring bytes are equal."""
    return bytes((n + number) & 0xFF for n in range(size))


def hit(page: bytes) -> Want:
    """What a get of a slot may answer that was given this page alone."""
    return one_of(1, 0, -errors.EEMPTY, body=page)


def pool_of(dialogue: Dialogue) -> int:
    """A private pool, persistent where the server makes one."""
    refused = Want(lambda number: True, "any")
    for flags in (PERSIST, 0):
        pool = dialogue.ask("new pool", NewPool(CLIENT, flags), refused)
        if POOL.numbers(pool):
            return pool
    raise WrongError(
        f"byte 8 of the answer to new pool: {pool}, for an ephemeral pool and for a persistent one"
    )
