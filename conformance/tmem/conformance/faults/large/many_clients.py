"""Faults of tables of clients, sharers and pools that are too small."""

from __future__ import annotations

from typing import ClassVar

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import LOST, SHOWN, STALE, fault
from tmem.spec.backend import Backend

SHARED = ("shared persistent",)


class Clients(Shadow):
    """Has a table of `places` clients: puts and gets of further clients go to the pool of an earlier one."""

    places: ClassVar[int]

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.order: list[int] = []

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        if client not in self.order:
            self.order.append(client)
        return pool

    def known_as(self, client: int, pool: int) -> int:
        """Return the client whose pool of this id is used."""
        if client in self.order[self.places :]:
            other = self.order[self.order.index(client) % self.places]
            mine, theirs = self.kind(client, pool), self.kind(other, pool)
            return other if mine is not None and mine == theirs else client
        return client

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(self.known_as(client, pool), pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(self.known_as(client, pool), pool, oid, index)


@fault("TMEM-POOL-2", *SHOWN, *LOST)
class Clients16(Clients):
    """Puts and gets of the 17th client go to the pool of the first."""

    places = 16


@fault("TMEM-POOL-2", *SHOWN, *LOST)
class Clients126(Clients):
    """Puts and gets of the 127th client go to the pool of the first."""

    places = 126


@fault("TMEM-POOL-2", *SHOWN, *LOST)
class Clients255(Clients):
    """Puts and gets of the 256th client go to the pool of the first."""

    places = 255


class PoolNumbers(Shadow):
    """Cuts the pool id of puts and gets to `bits` bits."""

    bits: ClassVar[int]

    def cut(self, client: int, pool: int) -> int:
        """Return the pool id that is used instead."""
        other = pool & (1 << self.bits) - 1
        mine, theirs = self.kind(client, pool), self.kind(client, other)
        return other if mine is not None and mine == theirs else pool

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, self.cut(client, pool), oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, self.cut(client, pool), oid, index)


@fault("TMEM-HANDLE-1", *SHOWN, *LOST)
class PoolIdOf4Bits(PoolNumbers):
    """Puts and gets cut the pool id to 4 bits."""

    bits = 4


@fault("TMEM-HANDLE-1", *SHOWN, *LOST)
class PoolIdOf8Bits(PoolNumbers):
    """Puts and gets cut the pool id to 8 bits."""

    bits = 8


@fault(*LOST, needs=("private persistent",))
class TwoHundredPools(Shadow):
    """The 200th pool of a client empties the first."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        mine = [other for owner, other in self.pools if owner == client]
        if len(mine) >= 200:
            for other in mine[:2]:
                known = self.known(client, other)
                for oid, index in list(known.pages) if known else ():
                    self.take(client, other, oid, index)
        return pool


@fault("TMEM-FLUSH-1", *STALE, needs=SHARED)
class FlushReachesFourSharers(Shadow):
    """A flush page reaches four sharers of a pool: the others still get the page."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.stale: dict[tuple[int, int, int], bytes] = {}

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        page, known = self.held(client, pool, oid, index), self.known(client, pool)
        found = super().flush_page(client, pool, oid, index)
        if page is not None and known is not None and known.users > 4:
            self.stale[id(known), oid, index] = page
        return found

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.stale.pop((id(self.known(client, pool)), oid, index), None)
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        known = self.known(client, pool)
        if known is not None and known.users > 4:
            members = [each for each, _ in (at for at, other in self.pools.items() if other is known)]
            if client in members[4:] and (page := self.stale.get((id(known), oid, index))):
                return page
        return super().get(client, pool, oid, index)


class SharersCounted(Shadow):
    """Counts the sharers of a pool in `bits` bits, and drops its pages if that is 0 after a leave."""

    bits: ClassVar[int]

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        answer = super().destroy_pool(client, pool)
        if known is not None and known.users and not known.users & (1 << self.bits) - 1:
            owner, other = next(at for at, each in self.pools.items() if each is known)
            for oid, index in list(known.pages):
                self.take(owner, other, oid, index)
        return answer


@fault("TMEM-SHARE-2", *LOST, needs=SHARED)
class SharersIn2Bits(SharersCounted):
    """The sharers of a pool are counted in 2 bits, and its pages go when the fifth leaves."""

    bits = 2


@fault("TMEM-SHARE-2", *LOST, needs=SHARED)
class SharersIn4Bits(SharersCounted):
    """The sharers of a pool are counted in 4 bits, and its pages go when the 17th leaves."""

    bits = 4


@fault("TMEM-SHARE-1", *LOST, needs=SHARED)
class NinthSharerSeesNothing(Shadow):
    """Gets of the ninth and later sharers miss pages that others put."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        known = self.known(client, pool)
        page = super().get(client, pool, oid, index)
        if known is not None and known.users > 8 and known.by.get((oid, index)) != client:
            members = [owner for (owner, _), other in self.pools.items() if other is known]
            return None if client in members[8:] else page
        return page
