"""The pools of a large program: what its names stand for, and the records of their slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tmem.conformance.engines.large.phases import PoolSpec
from tmem.conformance.engines.large.record import AFTER, NOTHING, POOL_ENDED, Beliefs, over
from tmem.spec.abi.flags import compose, kind_of
from tmem.spec.slot import Does, Kind

NEVER: Final = -1
NEITHER: Final[Beliefs] = (None, None, None)


@dataclass(slots=True)
class Place:
    """What a pool holds, in one lifetime after the other: the records of its slots outlive the pool.

    `lifetime` numbers the pools of a program as they were made; `left` is the epoch in which a sharer left.
    """

    lifetime: int = 0
    users: int = 0
    left: int = NEVER
    records: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """A name of the program: the pool that it stands for now, or stood for last. `id` is None before that."""

    name: int
    spec: PoolSpec
    flags: int
    place: Place
    kind: Kind
    asked: Kind
    id: int | None = None
    live: bool = False
    stored: int = NOTHING
    hit: Beliefs = NEITHER
    miss: Beliefs = NEITHER
    """The belief after a put that was stored, and by the belief before after a hit and after a miss."""


class Pools:
    """Every pool of one program."""

    def __init__(self, specs: Sequence[PoolSpec], page_size: int) -> None:
        self._places: dict[object, Place] = {}
        self.members = [self._member(name, spec, page_size) for name, spec in enumerate(specs)]
        self.live: dict[tuple[int, int], Member] = {}
        """By ⟨client, pool id⟩."""
        self.made = 0
        self.most_sharers = 0
        self.most_pools = 0
        """The most pools that one client had at a time."""
        self._of_client: Counter[int] = Counter()

    def _member(self, name: int, spec: PoolSpec, page_size: int) -> Member:
        shared = spec.uuid is not None
        flags = compose(persistent=spec.persistent, shared=shared, page_size=page_size)
        kind = kind_of(flags, spec.uuid)
        return Member(name, spec, flags, Place(), kind, kind)

    def join(self, member: Member, pool: int, kind: Kind) -> None:
        """The name stands for a pool of this kind from now on: its own, or the one that its UUID names."""
        key = ("shared", member.spec.uuid) if kind.shared else ("private", member.name)
        place = self._places.setdefault(key, Place())
        if not place.users:
            self.made += 1
            place.lifetime = self.made
        place.users += 1
        if kind != member.kind or member.hit is NEITHER:
            member.stored = AFTER[kind, Does.STORED][NOTHING] or NOTHING
            member.hit, member.miss = AFTER[kind, Does.HIT], AFTER[kind, Does.MISS]
        member.place, member.kind, member.id, member.live = place, kind, pool, True
        self.live[member.spec.client, pool] = member
        if kind.shared:
            self.most_sharers = max(self.most_sharers, place.users)
        self._of_client[member.spec.client] += 1
        self.most_pools = max(self.most_pools, self._of_client[member.spec.client])

    def leave(self, member: Member, epoch: int) -> None:
        """The name stands for nothing from now on; the pages of the pool have ended with its last user."""
        assert member.id is not None
        del self.live[member.spec.client, member.id]
        self._of_client[member.spec.client] -= 1
        member.live = False
        place = member.place
        place.users -= 1
        place.left = epoch
        if not place.users:
            records = place.records
            for slot, record in records.items():
                records[slot] = over(record, POOL_ENDED)
