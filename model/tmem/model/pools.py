"""The pools that a judge knows of: what ⟨client, pool id⟩ stands for, and who shares what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tmem.model.origin import Origin
from tmem.spec.belief import EMPTY, Belief
from tmem.spec.handle import Handle
from tmem.spec.slot import Kind


@dataclass(slots=True)
class SlotRecord:
    """What a slot may hold, the origin of that page, and where it holds nothing the clause that says so."""

    belief: Belief[bytes] = EMPTY
    origin: Origin | None = None
    emptied: str = "untouched"


@dataclass(slots=True)
class Pool:
    """A pool as it was made: it lives while it has users; its id may come back for another."""

    number: int
    kind: Kind
    """That which its maker asked for."""
    uuid: int | None = None
    users: int = 0
    left: int = 0
    """When the last sharer left, as a count of operations; 0: none did."""
    objects: dict[int, dict[int, SlotRecord]] = field(default_factory=dict)

    def slot(self, handle: Handle) -> SlotRecord:
        """The record of one slot, made at the first use of its handle."""
        indexes = self.objects.get(handle.oid)
        if indexes is None:
            indexes = self.objects[handle.oid] = {}
        slot = indexes.get(handle.index)
        if slot is None:
            slot = indexes[handle.index] = SlotRecord()
        return slot

    def slots(self) -> Iterator[SlotRecord]:
        """Every slot that was ever used."""
        for indexes in self.objects.values():
            yield from indexes.values()


@dataclass(slots=True)
class Member:
    """A client's use of a pool: what ⟨client, pool id⟩ stands for."""

    pool: Pool
    kind: Kind
    """The kind of the pool."""
    asked: Kind
    """The kind that the client asked for, or that pool flags reported."""
    uuid: int | None
    fresh: bool = True
    """Whether nothing was done with the id since new pool returned it."""


class Pools:
    """Every live pool, by ⟨client, pool id⟩ and by UUID."""

    def __init__(self) -> None:
        self.members: dict[tuple[int, int], Member] = {}
        self.ended: set[tuple[int, int]] = set()
        """The ids that once stood for a pool."""
        self._shared: dict[int, Pool] = {}
        self._made = 0

    def join(self, client: int, pool_id: int, kind: Kind, uuid: int | None) -> None:
        """The client made a pool, or joined the one of this UUID."""
        pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
        if pool is None:
            self._made += 1
            pool = Pool(self._made, kind)
            if kind.shared and uuid is not None:
                pool.uuid = uuid
                self._shared[uuid] = pool
        pool.users += 1
        self.members[client, pool_id] = Member(pool, pool.kind, kind, uuid)

    def leave(self, client: int, pool_id: int, now: int) -> Pool:
        """The client's pool ended for it; the pool has ended when no users are left."""
        pool = self.members.pop((client, pool_id)).pool
        self.ended.add((client, pool_id))
        pool.users -= 1
        pool.left = now
        if not pool.users and pool.uuid is not None:
            del self._shared[pool.uuid]
        return pool
