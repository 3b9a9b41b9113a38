"""Faults of flush: pages that should go and stay, and pages that should stay and go."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.abi.errors import EFROZEN
from tmem.spec.backend import Backend

PERSISTENT = ("private persistent",)
WORD = (1 << 64) - 1


class FlushPageSpares(Shadow):
    """A flush page that leaves the page where `spares` says so."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        if self.held(client, pool, oid, index) is not None and self.spares(client, pool, oid, index):
            return self.answer()
        return super().flush_page(client, pool, oid, index)

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Whether the page stays."""
        return True

    def answer(self) -> bool:
        """Return the answer of a flush that left the page."""
        return True


@fault("TMEM-FLUSH-1")
class FlushPageIgnored(FlushPageSpares):
    """Flush page does nothing."""


@fault("TMEM-FLUSH-1", needs=PERSISTENT)
class FlushPageSparesPersistent(FlushPageSpares):
    """Flush page does nothing in a persistent pool."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        kind = self.kind(client, pool)
        return kind is not None and kind.persistent


@fault("TMEM-FLUSH-1")
class FlushPageSparesHighIndex(FlushPageSpares):
    """Flush page does nothing at indexes from 2^16 on."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        return index >= 1 << 16


@fault("TMEM-FLUSH-1")
class FlushPageSparesReplacement(FlushPageSpares):
    """Flush page leaves a page that replaced another, since it drops one of two references."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        return known is not None and (oid, index) in known.replaced


@fault("TMEM-FLUSH-1")
class FlushPageSparesLastOfObject(FlushPageSpares):
    """Flush page leaves the last page of an object."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        return known is not None and len(known.indexes(oid)) == 1 and self.every(2)


@fault("TMEM-FLUSH-1", needs=("shared persistent",))
class FlushPageSparesOthersPage(FlushPageSpares):
    """Flush page leaves a page that another sharer put."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        return known is not None and known.by.get((oid, index)) != client


@fault("TMEM-FLUSH-1")
class FrozenFlushSpares(FlushPageSpares):
    """Every third flush page answers EFROZEN and does nothing."""

    def spares(self, client: int, pool: int, oid: int, index: int) -> bool:
        return self.every(3)

    def answer(self) -> bool:
        raise OSError(EFROZEN, "frozen")


@fault("TMEM-FLUSH-1", *LOST)
class FlushPageRoundsDown(Shadow):
    """Flush page of an odd index flushes the even index below."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(client, pool, oid, index & ~1)


@fault(*LOST, needs=PERSISTENT)
class FlushPageTakesObject(Shadow):
    """Flush page flushes the whole object."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        return super().flush_object(client, pool, oid) if found else found


@fault(*LOST, needs=PERSISTENT)
class FlushPageTakesIndexEverywhere(Shadow):
    """Flush page removes the pages of that index in every object of the pool."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        known = self.known(client, pool)
        for other, at in list(known.pages) if known else ():
            if at == index:
                self.take(client, pool, other, index)
        return found


@fault("TMEM-FLUSH-1", *LOST)
class FlushPageLate(Shadow):
    """Flush page takes effect after the next operation."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.late: tuple[int, int, int, int] | None = None

    def finish(self) -> None:
        """Do the flush that was put off."""
        if self.late is not None:
            at, self.late = self.late, None
            self.take(*at)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.finish()
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        self.finish()
        return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.finish()
        known = self.known(client, pool)
        if known is None or (oid, index) not in known.pages:
            return super().flush_page(client, pool, oid, index)
        known.forget(oid, index)
        self.late = (client, pool, oid, index)
        return True

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        self.finish()
        return super().flush_object(client, pool, oid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.finish()
        return super().destroy_pool(client, pool)


@fault("TMEM-FLUSH-1", history=(26,))
class FlushOvertakesPut(Shadow):
    """A flush right after a put to the slot takes effect before the put."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[int, int, int, int] | None = None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.last = (client, pool, oid, index) if stored else None
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.last = None
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        page = self.held(client, pool, oid, index)
        found = super().flush_page(client, pool, oid, index)
        if self.last == (client, pool, oid, index) and page is not None:
            self.put_back(client, pool, oid, index, page)
        return found


class FlushObjectSpares(Shadow):
    """A flush object that leaves the pages for which `spares` says so."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        indexes = known.indexes(oid) if known else []
        spared = [
            (index, known.pages[oid, index])
            for index in indexes
            if known and self.spares(client, pool, oid, index, indexes)
        ]
        found = super().flush_object(client, pool, oid)
        for index, page in spared:
            self.put_back(client, pool, oid, index, page)
        return found

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        """Whether the page at this index of the object stays."""
        return True


@fault("TMEM-FLUSH-2")
class FlushObjectIgnored(FlushObjectSpares):
    """Flush object does nothing."""


@fault("TMEM-FLUSH-2")
class FlushObjectTakesFirstOnly(FlushObjectSpares):
    """Flush object removes only the page of the least index."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return index != indexes[0]


@fault("TMEM-FLUSH-2")
class FlushObjectSparesLast(FlushObjectSpares):
    """Flush object leaves the page of the greatest index."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return len(indexes) > 1 and index == indexes[-1]


@fault("TMEM-FLUSH-2")
class FlushObjectStopsAtHole(FlushObjectSpares):
    """Flush object stops at the first index that holds nothing."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return any(n not in indexes for n in range(min(index, 8)))


@fault("TMEM-FLUSH-2")
class FlushObjectSparesHighHalf(FlushObjectSpares):
    """Flush object reads indexes from 2^31 on as negative and leaves their pages."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return index >= 1 << 31


@fault("TMEM-FLUSH-2")
class FlushObjectSparesOneNode(FlushObjectSpares):
    """Flush object visits only the first node of the radix tree, indexes 0 to 63."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return index > 63


@fault("TMEM-FLUSH-2")
class FlushObjectSparesReplacements(FlushObjectSpares):
    """Flush object leaves pages that replaced others."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        known = self.known(client, pool)
        return known is not None and (oid, index) in known.replaced


@fault("TMEM-FLUSH-2", needs=("shared persistent",))
class FlushObjectSparesOthersPages(FlushObjectSpares):
    """Flush object leaves pages that another sharer put."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        known = self.known(client, pool)
        return known is not None and known.by.get((oid, index)) != client


@fault("TMEM-FLUSH-2")
class FlushObjectSparesWideObjects(FlushObjectSpares):
    """Flush object does nothing for an object whose id has more than 64 bits."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return oid >> 64 != 0


@fault("TMEM-FLUSH-2")
class FlushObjectNeedsIndexZero(FlushObjectSpares):
    """Flush object does nothing for an object that holds no page at index 0."""

    def spares(self, client: int, pool: int, oid: int, index: int, indexes: list[int]) -> bool:
        return 0 not in indexes


@fault("TMEM-FLUSH-2")
class FlushedObjectReturns(Shadow):
    """Flush object only marks the object, and the next put to the object removes the mark."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.marked: dict[tuple[int, int, int], dict[int, bytes]] = {}

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        pages = {index: known.pages[oid, index] for index in known.indexes(oid)} if known else {}
        found = super().flush_object(client, pool, oid)
        self.marked[client, pool, oid] = pages
        return found

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored:
            for other, old in self.marked.pop((client, pool, oid), {}).items():
                if other != index:
                    self.put_back(client, pool, oid, other, old)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None:  # a slot that was missed stays empty
            self.marked.get((client, pool, oid), {}).pop(index, None)
        return page

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.marked = {at: pages for at, pages in self.marked.items() if at[:2] != (client, pool)}
        return super().destroy_pool(client, pool)


@fault(*LOST, needs=PERSISTENT)
class FlushedObjectStaysAway(Shadow):
    """After flush object, puts to the object answer True and store nothing."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.marked: set[tuple[int, int, int]] = set()

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        if found:
            self.marked.add((client, pool, oid))
        return found

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and (client, pool, oid) in self.marked:
            self.take(client, pool, oid, index)
        return stored

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.marked = {at for at in self.marked if at[:2] != (client, pool)}
        return super().destroy_pool(client, pool)


@fault(*LOST, needs=PERSISTENT)
class FlushObjectTakesPool(Shadow):
    """Flush object empties the pool, persistent or not."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        others = {other for other, _ in known.pages} if known else set()
        found = super().flush_object(client, pool, oid)
        for other in others:
            super().flush_object(client, pool, other)
        return found


@fault(*LOST, needs=PERSISTENT)
class FlushObjectByLowWord(Shadow):
    """Flush object removes every object whose id has the same low 64 bits."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        others = {other for other, _ in known.pages if (other ^ oid) & WORD == 0} if known else set()
        found = super().flush_object(client, pool, oid)
        for other in others - {oid}:
            super().flush_object(client, pool, other)
        return found


@fault(*LOST, needs=PERSISTENT)
class FlushOfNothingTakesNext(Shadow):
    """Flush page of a slot that holds nothing removes the next page of the object."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        found = super().flush_page(client, pool, oid, index)
        for other in known.indexes(oid) if known and not found else ():
            if other > index:
                self.take(client, pool, oid, other)
                break
        return found
