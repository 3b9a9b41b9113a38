"""Faults of reclaim: what it removes, what it leaves behind, and what comes back."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Reclaiming, Shadow
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.backend import Backend

Slot = tuple[int, int, int, int]
NEEDS = ("reclaim", "private persistent")
CACHE = ("reclaim", "private ephemeral")


@fault("TMEM-RECLAIM-1", needs=NEEDS)
class ReclaimTakesPersistent(Reclaiming):
    """Reclaim removes pages of persistent pools."""

    def reclaim(self, pages: int) -> int:
        victims = [at for at in self.persistent() if self.takes(*at)][:pages]
        for at in victims:
            self.take(*at)
        return super().reclaim(pages - len(victims)) + len(victims)

    def takes(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Whether reclaim removes this persistent page."""
        return True


@fault("TMEM-RECLAIM-1", needs=NEEDS)
class ReclaimTakesReplacements(ReclaimTakesPersistent):
    """Reclaim removes persistent pages that replaced others."""

    def takes(self, client: int, pool: int, oid: int, index: int) -> bool:
        return (oid, index) in self.pools[client, pool].replaced


@fault("TMEM-RECLAIM-1", needs=("reclaim", "shared persistent"))
class ReclaimTakesSharedPersistent(ReclaimTakesPersistent):
    """Reclaim removes pages of shared persistent pools."""

    def takes(self, client: int, pool: int, oid: int, index: int) -> bool:
        return self.pools[client, pool].kind.shared


@fault("TMEM-RECLAIM-1", needs=NEEDS)
class ReclaimTakesPersistentAtIndexZero(ReclaimTakesPersistent):
    """Reclaim removes the persistent page at index 0 of an object."""

    def takes(self, client: int, pool: int, oid: int, index: int) -> bool:
        return index == 0


@fault("TMEM-RECLAIM-1", needs=NEEDS)
class ReclaimTakesPersistentLast(Reclaiming):
    """Reclaim removes persistent pages when there are not enough ephemeral ones."""

    def reclaim(self, pages: int) -> int:
        gone = super().reclaim(pages)
        victims = list(self.persistent())[: pages - gone]
        for at in victims:
            self.take(*at)
        return gone + len(victims)


@fault("TMEM-RECLAIM-1", needs=NEEDS)
class ReclaimByObjectAndIndex(Reclaiming):
    """Reclaim finds pages by object id and index alone, and removes a persistent page with the same ones."""

    def reclaim(self, pages: int) -> int:
        names = {at[2:] for at in list(self.ephemeral())[:pages]}
        for at in list(self.persistent()):
            if at[2:] in names:
                self.take(*at)
        return super().reclaim(pages)


@fault(
    *("TMEM-RECLAIM-1", "TMEM-GET-3", "TMEM-SHARE-1", "TMEM-SHARE-2"),
    needs=("reclaim", "private persistent", "private ephemeral"),
    history=(5,),
)
class ReclaimTakesReusedPoolId(Reclaiming):
    """The reclaim order keeps the id of a pool that ended, which a persistent pool has since got."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.order: set[int] = set()

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        if known and not known.kind.persistent:
            self.order.add(pool)
        return super().destroy_pool(client, pool)

    def reclaim(self, pages: int) -> int:
        self.strike(pages)
        return super().reclaim(pages)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if self.every(4):
            self.strike(1)
        return super().put(client, pool, oid, index, page)

    def strike(self, pages: int) -> None:
        """Remove pages of persistent pools whose ids are in the order."""
        reused = [at for at in self.persistent() if at[1] in self.order]
        for at in reused[:pages]:
            self.take(*at)


@fault("TMEM-GET-3", *LOST, needs=("private persistent",))
class FourthPersistentPageTakesFirst(Shadow):
    """A put removes the oldest persistent page once there are four."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        pages = list(self.persistent())
        if stored and len(pages) > 3 and pages[0] != (client, pool, oid, index):
            self.take(*pages[0])
        return stored


@fault("TMEM-RECLAIM-1", needs=("private persistent",))
class RefusedPutTakesPersistent(Shadow):
    """Every fifth put fails and removes a persistent page."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size and self.known(client, pool) and self.every(5):
            super().flush_page(client, pool, oid, index)
            for at in list(self.persistent())[:1]:
                self.take(*at)
            return False
        return super().put(client, pool, oid, index, page)


@fault("TMEM-GET-1", needs=CACHE)
class ReclaimedPageReturns(Reclaiming):
    """A reclaimed page comes back after one miss."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.away: dict[Slot, bytes] = {}

    def reclaim(self, pages: int) -> int:
        self.away = {at: self.pools[at[:2]].pages[at[2:]] for at in self.ephemeral()} if pages else {}
        return super().reclaim(pages)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.away.pop((client, pool, oid, index), None)
        return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        returns = self.away.pop((client, pool, oid, index), None)
        if page is None and returns is not None:
            self.put_back(client, pool, oid, index, returns)
        return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.away.pop((client, pool, oid, index), None)
        return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.away.clear()
        return super().flush_object(client, pool, oid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.away.clear()
        return super().destroy_pool(client, pool)


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", "TMEM-SHARE-1", needs=CACHE, history=(4,))
class ReclaimedFrameRecycled(Reclaiming):
    """A slot whose page was reclaimed still refers to its frame, which the next put fills."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.leads: set[Slot] = set()
        self.frame: bytes | None = None

    def reclaim(self, pages: int) -> int:
        self.leads, self.frame = set(self.ephemeral()) if pages else set(), None
        return super().reclaim(pages)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.leads.discard((client, pool, oid, index))
        stored = super().put(client, pool, oid, index, page)
        if stored and self.leads and self.frame is None:
            self.frame = bytes(page)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None and (client, pool, oid, index) in self.leads:
            return self.frame
        return page

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.leads = {at for at in self.leads if at[:2] != (client, pool)}
        return super().destroy_pool(client, pool)


@fault("TMEM-PUT-2", *LOST, needs=NEEDS)
class ReclaimBlanksPersistent(Reclaiming):
    """Reclaim overwrites the second half of a persistent page."""

    def reclaim(self, pages: int) -> int:
        for at in list(self.persistent())[:pages]:
            page = self.pools[at[:2]].pages[at[2:]]
            self.put_back(*at, page[: self.page_size // 2].ljust(self.page_size, b"\x5a"))
        return super().reclaim(pages)


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", *LOST, needs=NEEDS)
class CompactionSwapsPages(Reclaiming):
    """Reclaim compacts memory and swaps two persistent pages."""

    def reclaim(self, pages: int) -> int:
        slots = list(self.persistent())[:2]
        if len(slots) == 2:
            one, two = (self.pools[at[:2]].pages[at[2:]] for at in slots)
            self.put_back(*slots[0], two)
            self.put_back(*slots[1], one)
        return super().reclaim(pages)


@fault("TMEM-PUT-3", needs=("reclaim",))
class ReclaimUncoversOld(Reclaiming):
    """A replaced page stays beneath the new one, and reclaim removes only the new one."""

    def reclaim(self, pages: int) -> int:
        uncovered = [
            (at, self.pools[at[:2]].replaced[at[2:]])
            for at in self.ephemeral()
            if at[2:] in self.pools[at[:2]].replaced
        ]
        gone = super().reclaim(pages)
        for at, old in uncovered[:pages]:
            self.put_back(*at, old)
        return gone


@fault("TMEM-FLUSH-1", needs=("reclaim",))
class ReclaimUndoesFlush(Reclaiming):
    """Reclaim puts back a page that was flushed before."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.flushed: tuple[Slot, bytes] | None = None

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        page = self.held(client, pool, oid, index)
        if page is not None:
            self.flushed = ((client, pool, oid, index), page)
        return super().flush_page(client, pool, oid, index)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.flushed = None
        return super().put(client, pool, oid, index, page)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.flushed = None
        return super().destroy_pool(client, pool)

    def reclaim(self, pages: int) -> int:
        gone = super().reclaim(pages)
        if self.flushed is not None:
            at, page = self.flushed
            self.put_back(*at, page)
        return gone
