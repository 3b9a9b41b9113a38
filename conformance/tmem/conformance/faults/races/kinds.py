"""What races share: the kinds of pools, and the clauses that a race may be blamed on."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Wrapper
from tmem.conformance.faults.fault import LOST, SHOWN
from tmem.spec.abi.flags import PERSIST, SHARED
from tmem.spec.backend import Backend

Slot = tuple[int, int, int, int]
OVERLAP = ("TMEM-CONC-1", *SHOWN, *LOST)
"""What a race may be blamed on: linearizability, or the clause of the page that came or did not."""
PERSISTENT = ("private persistent",)


class Kinds(Wrapper):
    """Records which pools are persistent and which are shared, by the flags of new pool."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.flags: dict[tuple[int, int], int] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        self.flags[client, pool] = flags
        return pool

    def persistent(self, client: int, pool: int) -> bool:
        """Whether the pool is persistent."""
        return bool(self.flags.get((client, pool), 0) & PERSIST)

    def exclusive(self, client: int, pool: int) -> bool:
        """Whether the pool is private and ephemeral."""
        return not self.flags.get((client, pool), PERSIST) & (PERSIST | SHARED)
