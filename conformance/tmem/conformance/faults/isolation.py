"""Faults of isolation: clients, or pools of one client, that see each other's pages."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Known, Page, Shadow
from tmem.conformance.faults.fault import LOST, STALE, fault
from tmem.spec.backend import Backend

TWICE = ("pool id of two clients",)
PERSISTENT = ("private persistent", *TWICE)


class Meets(Shadow):
    """Sends operations on pages to the pool that `found` returns."""

    def found(self, client: int, pool: int) -> tuple[int, int]:
        """Return the client and the id of the pool that the operation is sent to."""
        return client, pool

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(*self.found(client, pool), oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(*self.found(client, pool), oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(*self.found(client, pool), oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return super().flush_object(*self.found(client, pool), oid)


MEETS = ("TMEM-POOL-2", "TMEM-SHARE-1", "TMEM-GET-3", "TMEM-RECLAIM-1", "TMEM-SHARE-2")


@fault(*MEETS, needs=TWICE)
class ClientIgnored(Meets):
    """Pools of different clients with the same id and kind are one pool."""

    def found(self, client: int, pool: int) -> tuple[int, int]:
        kind = self.kind(client, pool)
        return next((at for at, k in self.pools.items() if at[1] == pool and k.kind == kind), (client, pool))


@fault(*MEETS, needs=TWICE)
class ClientLowByte(Meets):
    """Clients are distinguished by the low byte of their id only."""

    def found(self, client: int, pool: int) -> tuple[int, int]:
        kind = self.kind(client, pool)
        for (other, id), known in self.pools.items():
            if id == pool and (other ^ client) & 0xFF == 0 and known.kind == kind:
                return other, id
        return client, pool


@fault(*MEETS, needs=TWICE)
class ThirdClientIsSecond(Meets):
    """There is room for two clients: the third and all later ones use the pools of the second."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.clients: dict[int, None] = {}

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        self.clients.setdefault(client)
        return pool

    def found(self, client: int, pool: int) -> tuple[int, int]:
        second = (*self.clients, client, client)[1]
        late = client in self.clients and client not in tuple(self.clients)[:2]
        return (
            (second, pool) if late and self.kind(second, pool) == self.kind(client, pool) else (client, pool)
        )


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-FLUSH-1", "TMEM-FLUSH-2", *LOST)
class PoolIgnored(Meets):
    """A client's private pools of one kind are one pool."""

    def found(self, client: int, pool: int) -> tuple[int, int]:
        kind = self.kind(client, pool)
        if kind is None or kind.shared:
            return client, pool
        return next(at for at, k in self.pools.items() if at[0] == client and k.kind == kind)


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-FLUSH-1", "TMEM-FLUSH-2", *LOST)
class ThirdPoolIsFirst(Meets):
    """A client's third private pool is its first again, if both have the same kind."""

    def found(self, client: int, pool: int) -> tuple[int, int]:
        kind = self.kind(client, pool)
        mine = [at for at in self.pools if at[0] == client]
        third = len(mine) > 2 and mine[2] == (client, pool) and kind is not None and not kind.shared
        return mine[0] if third and self.kind(*mine[0]) == kind else (client, pool)


@fault(*MEETS, *STALE, needs=TWICE)
class LastPoolCachedById(Meets):
    """The pool of the last operation is cached and found by its id alone, whoever calls."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[int, int] = (-1, -1)

    def found(self, client: int, pool: int) -> tuple[int, int]:
        fits = self.last in self.pools and self.last[1] == pool
        if not fits or self.kind(client, pool) != self.kind(*self.last):
            self.last = (client, pool)
        return self.last

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.last = (-1, -1)
        return super().destroy_pool(client, pool)


class Others(Shadow):
    """Finds the pools of other clients with the same id."""

    def others(self, client: int, pool: int) -> list[tuple[int, Known]]:
        """Return the other clients with their private pools of this id."""
        return [
            (other, known)
            for (other, id), known in self.pools.items()
            if id == pool and other != client and not known.kind.shared
        ]


@fault("TMEM-POOL-2", needs=TWICE)
class MissLooksAtOtherClients(Others):
    """A miss answers the page that another client has under the same handle."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None and (client, pool) in self.pools:
            return next(
                (k.pages[oid, index] for _, k in self.others(client, pool) if (oid, index) in k.pages), None
            )
        return page


@fault("TMEM-POOL-2", "TMEM-PUT-3", *LOST, needs=TWICE)
class PutReachesOtherClients(Others):
    """A put replaces the page that another client has under the same handle."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        for other, known in self.others(client, pool) if stored else ():
            if (oid, index) in known.pages:
                self.put_back(other, pool, oid, index, bytes(page))
        return stored


@fault(*LOST, needs=PERSISTENT)
class FlushReachesOtherClients(Others):
    """Flush page removes the page that another client has under the same handle."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        for other, _ in self.others(client, pool):
            self.take(other, pool, oid, index)
        return found


@fault(*LOST, needs=PERSISTENT)
class FlushObjectReachesOtherClients(Others):
    """Flush object removes the object that another client has under the same pool id and object id."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        for other, known in self.others(client, pool):
            for index in known.indexes(oid):
                self.take(other, pool, oid, index)
        return found


@fault(
    *LOST,
    "TMEM-POOL-1",
    "TMEM-ARG-1",
    "TMEM-PUT-1",
    "TMEM-POOL-3",
    "TMEM-FLUSH-1",
    "TMEM-FLUSH-2",
    needs=PERSISTENT,
)
class DestroyReachesOtherClients(Others):
    """Destroy pool ends the pool of that id of every client."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        others = self.others(client, pool)
        ended = super().destroy_pool(client, pool)
        for other, _ in others:
            super().destroy_pool(other, pool)
        return ended


@fault("TMEM-POOL-2", "TMEM-SHARE-1", "TMEM-POOL-3")
class RecycledPoolShowsPages(Shadow):
    """A pool that ended is given, with its pages, to the next other client that makes a pool."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.recycled: list[tuple[int, Known]] = []

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        ended = super().destroy_pool(client, pool)
        if known and not known.users:
            self.recycled.append((client, known))
        return ended

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        made = self.pools[client, pool]
        for n, (other, old) in enumerate(self.recycled):
            if other != client and made.users == 1:
                del self.recycled[n]
                for (oid, index), page in old.pages.items():
                    self.put_back(client, pool, oid, index, page)
                break
        return pool
