"""What a judge has recorded of one backend: the pages, the pools, and what it counts.

The judge writes it; `blame` reads it to say which clause a wrong answer breaks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tmem.model.origin import Origin
from tmem.model.pools import Member, Pools
from tmem.spec.belief import EMPTY, Belief
from tmem.spec.handle import Handle
from tmem.spec.slot import Does, Kind

Transition = tuple[Kind | None, str, Does]
"""A pool's kind (None: no such pool), what was known of the slot, and what happened."""


@dataclass(slots=True)
class Record:
    """What one judge has seen. It keeps every page that was ever put, so it lives as long as one run.

    `page_size` is in bytes; `scribble` is what callers write over their buffers after a put.
    """

    page_size: int
    scribble: bytes | None
    count: int = 0
    """How many operations were observed, but for questions about flags."""
    pressure: int = 0
    """How many signs were seen that room is short: a reclaim, a put that failed, a page that vanished."""
    transitions: defaultdict[Transition, int] = field(default_factory=lambda: defaultdict(int))
    """How often each transition of a slot was seen: what coverage is made of."""
    seen: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How often other things worth covering were seen, by name."""
    origins: dict[bytes, Origin] = field(default_factory=dict)
    """The latest put of each page."""
    pools: Pools = field(default_factory=Pools)

    def member(self, client: int, pool: int) -> Member | None:
        """What ⟨client, pool id⟩ stands for now; None where the client has no such pool."""
        return self.pools.members.get((client, pool))

    def may_hold(self, client: int, handle: Handle) -> Belief[bytes]:
        """What a get of this slot may show now."""
        member = self.member(client, handle.pool)
        return EMPTY if member is None else member.pool.slot(handle).belief

    def ids(self) -> set[tuple[int, int]]:
        """Every ⟨client, pool id⟩ that stands or once stood for a pool."""
        return self.pools.ended | set(self.pools.members)
