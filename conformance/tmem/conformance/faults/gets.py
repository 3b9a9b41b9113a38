"""Faults of get: hits that remove too little or too much, and misses that do not last."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import LOST, SHOWN, fault
from tmem.spec.abi.errors import EEMPTY, ENODEV, ENOMEM, EPERM
from tmem.spec.backend import Backend

PERSISTENT = ("private persistent",)
EPHEMERAL = ("private ephemeral",)


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusive(Shadow):
    """A hit in a private ephemeral pool leaves the page."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        known = self.known(client, pool)
        twice = known is not None and (oid, index) in known.replaced
        page = super().get(client, pool, oid, index)
        if page is not None and known and known.kind.exclusive and self.leaves(oid, index, page, twice):
            self.put_back(client, pool, oid, index, page)
        return page

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        """Whether the page stays; `twice` says that it replaced another."""
        return True


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusiveAtHighIndex(HitNotExclusive):
    """A hit at an index from 64 on, beyond the first node of the radix tree, leaves the page."""

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        return index >= 64


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusiveNowAndThen(HitNotExclusive):
    """Every fifth hit leaves the page."""

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        return self.every(5)


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusiveAfterDuplicate(HitNotExclusive):
    """A page that replaced another has two references, so that a hit leaves it."""

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        return twice


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusiveForSameFilled(HitNotExclusive):
    """A hit leaves a page of one repeated byte, which takes no room."""

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        return page.count(page[:1]) == len(page)


@fault("TMEM-GET-2", needs=EPHEMERAL)
class HitNotExclusiveInWideObject(HitNotExclusive):
    """A hit in an object whose id has more than 64 bits leaves the page."""

    def leaves(self, oid: int, index: int, page: bytes, twice: bool) -> bool:
        return oid >> 64 != 0


@fault("TMEM-GET-1", needs=EPHEMERAL)
class FirstGetMisses(Shadow):
    """The first get of an ephemeral page misses, and later ones hit."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.fresh: set[tuple[int, int, int, int]] = set()

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        kind = self.kind(client, pool)
        if stored and kind and not kind.persistent:
            self.fresh.add((client, pool, oid, index))
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        kind = self.kind(client, pool)
        if kind and not kind.persistent and (client, pool, oid, index) in self.fresh:
            self.fresh.discard((client, pool, oid, index))
            return None
        return super().get(client, pool, oid, index)


@fault("TMEM-GET-1", needs=EPHEMERAL)
class BusyGetMisses(Shadow):
    """Every sixth get finds its object busy and answers a miss; the page stays."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        kind = self.kind(client, pool)
        held = self.held(client, pool, oid, index) is not None
        if kind and not kind.persistent and held and self.every(6):
            return None
        return super().get(client, pool, oid, index)


@fault(*LOST, needs=PERSISTENT)
class BusyPersistentGetMisses(Shadow):
    """Every sixth get of a persistent page finds its object busy and answers a miss."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if self.persists(client, pool) and self.held(client, pool, oid, index) and self.every(6):
            self.fail(client, pool, oid, index)
            return None
        return super().get(client, pool, oid, index)

    def persists(self, client: int, pool: int) -> bool:
        """Whether the pool is persistent."""
        kind = self.kind(client, pool)
        return kind is not None and kind.persistent

    def fail(self, client: int, pool: int, oid: int, index: int) -> None:
        """Do what happens instead of a hit."""


@fault("TMEM-GET-3", needs=PERSISTENT)
class GetRightAfterPutMisses(Shadow):
    """A get of a private persistent page right after its put misses."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[int, int, int, int] | None = None

    def __getattr__(self, name: str) -> object:
        if name == "reclaim":  # a reclaim between a put and a get
            self.last = None
        return super().__getattr__(name)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.last = (client, pool, oid, index) if stored else None
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        last, self.last = self.last, None
        kind = self.kind(client, pool)
        if kind and kind.persistent and not kind.shared and last == (client, pool, oid, index):
            return None
        return super().get(client, pool, oid, index)


@fault(*LOST, needs=PERSISTENT)
class PersistentGetEmpty(BusyPersistentGetMisses):
    """Every sixth get of a persistent page answers EEMPTY."""

    def fail(self, client: int, pool: int, oid: int, index: int) -> None:
        raise OSError(EEMPTY, "nothing here")


@fault(*LOST, needs=PERSISTENT)
class PersistentGetDenied(BusyPersistentGetMisses):
    """Every sixth get of a persistent page answers EPERM."""

    def fail(self, client: int, pool: int, oid: int, index: int) -> None:
        raise OSError(EPERM, "not now")


@fault(*LOST, needs=PERSISTENT)
class PersistentGetFindsNoPool(BusyPersistentGetMisses):
    """Every sixth get of a persistent page answers ENODEV."""

    def fail(self, client: int, pool: int, oid: int, index: int) -> None:
        raise OSError(ENODEV, "no such pool")


@fault(*LOST, needs=PERSISTENT, history=(15,))
class FailedGetLosesPage(BusyPersistentGetMisses):
    """A get that cannot copy the page answers ENOMEM after it has removed the page."""

    def fail(self, client: int, pool: int, oid: int, index: int) -> None:
        self.take(client, pool, oid, index)
        raise OSError(ENOMEM, "the copy failed")


@fault(*LOST, needs=PERSISTENT, history=(27,))
class PersistentHitRemoves(Shadow):
    """A hit removes the page in a persistent pool too."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind and kind.persistent and self.removes(client, pool, oid, index):
            self.take(client, pool, oid, index)
        return page

    def removes(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Whether this hit removes the page."""
        return True


@fault(*LOST, needs=PERSISTENT)
class FifthPersistentHitRemoves(PersistentHitRemoves):
    """Every fifth hit removes a persistent page."""

    def removes(self, client: int, pool: int, oid: int, index: int) -> bool:
        return self.every(5)


@fault("TMEM-SHARE-1", *LOST, needs=("shared persistent",))
class SharersHitRemoves(PersistentHitRemoves):
    """A hit on a persistent page that another sharer put removes it."""

    def removes(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        return known is not None and known.by.get((oid, index)) != client


@fault(*LOST, needs=PERSISTENT)
class HitTakesNeighbour(Shadow):
    """A hit reads ahead and removes the next page of the object, even a persistent one."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        known = self.known(client, pool)
        if page is not None and known:
            for other in known.indexes(oid):
                if other > index:
                    self.take(client, pool, oid, other)
                    break
        return page


@fault(*LOST, "TMEM-GET-1", needs=PERSISTENT)
class MissOutlivesPut(Shadow):
    """A miss is cached, and a put does not end the cached miss."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.missed: set[tuple[int, int, int, int]] = set()

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if (client, pool, oid, index) in self.missed:
            return None
        page = super().get(client, pool, oid, index)
        if page is None:
            self.missed.add((client, pool, oid, index))
        return page

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.missed = {at for at in self.missed if at[:2] != (client, pool)}
        return super().destroy_pool(client, pool)


@fault(*SHOWN)
class MissShowsLastPage(Shadow):
    """A miss answers the page of the last hit."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: bytes | None = None

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        self.last = page or self.last
        return self.last


class MissShowsAnother(Shadow):
    """A miss answers the page of another slot of its pool."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        known = self.known(client, pool)
        if page is None and known:
            return next((held for at, held in known.pages.items() if self.shows(*at, oid, index)), None)
        return page

    def shows(self, other: int, at: int, oid: int, index: int) -> bool:
        """Whether a miss at ⟨oid, index⟩ shows the page of slot ⟨other, at⟩."""
        return other == oid and at > index


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2")
class MissShowsNextPage(MissShowsAnother):
    """A miss answers the next page that the object holds."""


@fault("TMEM-HANDLE-1")
class MissShowsPageOfSameNode(MissShowsAnother):
    """A miss answers another page of the same object and node of the radix tree."""

    def shows(self, other: int, at: int, oid: int, index: int) -> bool:
        return other == oid and at != index and at >> 6 == index >> 6


@fault("TMEM-HANDLE-2")
class MissLooksAtLowWord(MissShowsAnother):
    """A miss answers the page of the same index in an object with the same low 64 bits."""

    def shows(self, other: int, at: int, oid: int, index: int) -> bool:
        return other != oid and (other ^ oid) & (1 << 64) - 1 == 0 and at == index


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2")
class MissLooksInOtherObjects(MissShowsAnother):
    """A miss answers the page of the same index in another object of the pool."""

    def shows(self, other: int, at: int, oid: int, index: int) -> bool:
        return other != oid and at == index


@fault("TMEM-PUT-2")
class MissShowsFreshFrame(Shadow):
    """A miss answers a frame that was never written."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None and self.every(4):
            return (b"\xcc\x00\x55" * self.page_size)[: self.page_size]
        return page


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", "TMEM-SHARE-1")
class LastPutCachedByIndex(Shadow):
    """The page put last is cached and found by its index alone."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.at_hand: tuple[int, bytes] | None = None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        self.at_hand = (index, bytes(page)) if stored else None
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        cached, self.at_hand = self.at_hand, None
        return cached[1] if page is not None and cached and cached[0] == index else page
