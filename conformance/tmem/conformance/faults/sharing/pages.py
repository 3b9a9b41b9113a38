"""Faults of the pages of a shared pool: whether every sharer sees what the others put and flush."""

from __future__ import annotations

from typing import cast

from tmem.conformance.conforming.wrapper import Known, Page, Shadow
from tmem.conformance.faults.fault import LOST, STALE, fault
from tmem.spec.backend import Backend, Reclaims


@fault("TMEM-SHARE-1", *LOST, needs=("shared persistent",))
class JoinEmptiesPool(Shadow):
    """A client that joins a shared pool empties it for all."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        known = self.pools[client, pool]
        if known.users > 1:
            for oid, index in list(known.pages):
                self.take(client, pool, oid, index)
        return pool


@fault("TMEM-SHARE-1", *LOST, "TMEM-GET-1", needs=("shared persistent",))
class SharersSeeOwnPagesOnly(Shadow):
    """A get of a page that another sharer put misses."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        known = self.known(client, pool)
        foreign = known is not None and known.by.get((oid, index), client) != client
        return None if foreign else page


@fault("TMEM-SHARE-1", needs=("shared persistent",))
class SharersPutShowsLate(Shadow):
    """A get of a persistent page right after another sharer's put misses."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[Known | None, int, int, int] | None = None
        if isinstance(inner, Reclaims):
            self.reclaim = self._reclaim  # only where the backend has it

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.last = (self.known(client, pool), oid, index, client) if stored else None
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        last, self.last = self.last, None
        known = self.known(client, pool)
        if known and known.kind.persistent and last and last[:3] == (known, oid, index) and last[3] != client:
            return None
        return super().get(client, pool, oid, index)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        self.last = None
        return super().new_pool(client, flags, uuid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.last = None
        return super().destroy_pool(client, pool)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.last = None
        return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.last = None
        return super().flush_object(client, pool, oid)

    def _reclaim(self, pages: int) -> int:
        self.last = None
        return cast(Reclaims, self.inner).reclaim(pages)


class Caches(Shadow):
    """Gives each sharer a cache of the pages that it got."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.cache: dict[tuple[int, int, int, int], bytes] = {}

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        at = (client, pool, oid, index)
        if at in self.cache and self.known(client, pool):
            return self.cache[at]
        page = super().get(*at)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.shared:
            self.cache[at] = page
        return page

    def forget(self, client: int, pool: int, oid: int, index: int | None, everyone: bool) -> None:
        """Remove the slot, or without an index the object, from the caches of all sharers or of one."""
        known = self.known(client, pool)
        for other, id, o, i in list(self.cache):
            mine = (other, id) == (client, pool)
            if (mine or (everyone and self.known(other, id) is known)) and o == oid and index in (None, i):
                del self.cache[other, id, o, i]

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.forget(client, pool, oid, index, self.put_reaches_all())
        return super().put(client, pool, oid, index, page)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.forget(client, pool, oid, index, not self.put_reaches_all())
        return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.forget(client, pool, oid, None, not self.put_reaches_all())
        return super().flush_object(client, pool, oid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.cache = {at: page for at, page in self.cache.items() if at[:2] != (client, pool)}
        return super().destroy_pool(client, pool)

    def put_reaches_all(self) -> bool:
        """Whether a put empties all caches and a flush only the caller's; otherwise the other way round."""
        return False


@fault(*STALE, needs=("shared persistent",))
class SharerMissesNewerPut(Caches):
    """A sharer that got a page gets it again after another sharer has replaced it."""


@fault("TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-PUT-1", "TMEM-GET-1", needs=("shared persistent",))
class SharerMissesFlush(Caches):
    """A sharer that got a page gets it again after another sharer has flushed it."""

    def put_reaches_all(self) -> bool:
        return True
