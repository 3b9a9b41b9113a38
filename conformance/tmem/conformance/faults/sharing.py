"""Faults of shared pools: who joins which pool, what sharers see, and what stays when one leaves."""

from __future__ import annotations

from typing import cast

from tmem.conformance.conforming.wrapper import Known, Page, Shadow
from tmem.conformance.faults.fault import LOST, STALE, fault
from tmem.spec.abi.errors import ENODEV
from tmem.spec.abi.flags import NO_UUID, PERSIST, SHARED, kind_of, objection
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.handle import in_range
from tmem.spec.slot import Kind

PERSISTENT = ("shared persistent",)


class Misjoined(Shadow):
    """New pool asks the backend for other flags or another UUID than the caller, and does not report it."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.shown: dict[tuple[int, int], int] = {}
        if isinstance(inner, TellsFlags):
            self.pool_flags = self._pool_flags  # only where the backend has it

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is not None:
            return super().new_pool(client, flags, uuid)
        other_flags, other_uuid = self.joins(flags, uuid)
        pool = super().new_pool(client, other_flags, other_uuid)
        self.shown.pop((client, pool), None)
        if (other_flags, other_uuid) != (flags, uuid):
            self.shown[client, pool] = flags
        return pool

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        """Return the flags and the UUID that the backend is asked for."""
        return flags, uuid

    def _pool_flags(self, client: int, pool: int) -> int:
        really = cast(TellsFlags, self.inner).pool_flags(client, pool)
        asked = self.shown.get((client, pool), really)
        return really & ~(PERSIST | SHARED) | asked & (PERSIST | SHARED)


@fault("TMEM-SHARE-1", *LOST, *STALE, "TMEM-POOL-5", needs=PERSISTENT, history=(29,))
class SharedPoolIsPrivate(Misjoined):
    """New pool makes a private pool where a shared one was asked for, and does not report it."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags & ~SHARED, None


@fault("TMEM-POOL-5", *LOST, *STALE, needs=("shared persistent", "shared ephemeral"), history=(29,))
class JoinerGetsOtherKind(Misjoined):
    """A client that asks for a persistent pool joins an ephemeral one, and the flags do not say so."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        kind = kind_of(flags, uuid)
        for known in self.pools.values():
            if kind.shared and known.kind.shared and known.uuid == uuid and not known.kind.persistent:
                return flags & ~PERSIST, uuid
        return flags, uuid

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        kind = self.kind(client, pool)
        if page is not None and kind == Kind(shared=True) and self.every(3):
            self.take(client, pool, oid, index)  # which it may, since the pool is ephemeral
        return page


MEETS = ("TMEM-SHARE-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", "TMEM-POOL-3", *STALE, *LOST)


@fault(*MEETS, needs=("shared",))
class UuidFolded(Misjoined):
    """The two words of a UUID are folded into one by XOR."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        if not kind_of(flags, uuid).shared or uuid is None:
            return flags, uuid
        return flags, (uuid ^ uuid >> 64) & (1 << 64) - 1


@fault(*MEETS, needs=PERSISTENT)
class UuidLowWord(Misjoined):
    """Only the low 64 bits of a UUID count."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags, uuid & (1 << 64) - 1 if kind_of(flags, uuid).shared and uuid else uuid


@fault(*MEETS, needs=PERSISTENT)
class UuidHighWord(Misjoined):
    """Only the high 64 bits of a UUID count, unless they are zero."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags, uuid >> 64 if kind_of(flags, uuid).shared and uuid and uuid >> 64 else uuid


@fault(*MEETS, needs=("shared",))
class UuidIgnored(Misjoined):
    """All shared pools are one pool."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags, 1 if kind_of(flags, uuid).shared else uuid


@fault("TMEM-GET-2", *MEETS, needs=("shared",))
class NoUuidShares(Misjoined):
    """Shared pools without a UUID, or with the UUID of all ones, are one pool."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags, 1 if flags & SHARED and uuid in (None, NO_UUID) else uuid


@fault("TMEM-GET-2", *MEETS, needs=("shared",))
class UuidAloneShares(Misjoined):
    """A pool with a UUID is shared even without the shared flag."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return (flags | SHARED if uuid not in (None, NO_UUID) else flags), uuid


class Leaves(Shadow):
    """Calls `left` when a sharer leaves and others stay."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        ended = super().destroy_pool(client, pool)
        if known and known.kind.shared and known.users:
            self.left(client, known)
        return ended

    def left(self, client: int, known: Known) -> None:
        """Do what goes wrong after the client has left the pool."""

    def empty(self, known: Known, by: int | None = None) -> None:
        """Remove the pages of a pool, or with `by` only those that this client put."""
        at = next(at for at, other in self.pools.items() if other is known)
        for oid, index in list(known.pages):
            if by is None or known.by[oid, index] == by:
                self.take(*at, oid, index)


@fault("TMEM-SHARE-2", *LOST, needs=PERSISTENT)
class LeaveEmptiesPool(Leaves):
    """A sharer that leaves removes all pages of the pool."""

    def left(self, client: int, known: Known) -> None:
        self.empty(known)


@fault("TMEM-SHARE-2", needs=PERSISTENT)
class LeaveHidesPages(Leaves):
    """A sharer that leaves hides the pages put before, until the next reclaim, failed put or miss."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.pressure = 0
        self.stored: dict[tuple[Known, int, int], int] = {}
        self.hidden: set[tuple[Known, int, int]] = set()
        if isinstance(inner, Reclaims):
            self.reclaim = self._reclaim  # only where the backend has it

    def left(self, client: int, known: Known) -> None:
        if known.kind.persistent:
            self.hidden |= {(known, *at) for at in known.pages}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        self.pressure += 1  # taken back if the put succeeds
        stored = super().put(client, pool, oid, index, page)
        self.pressure -= stored
        if known := self.known(client, pool):
            self.stored[known, oid, index] = self.pressure
            self.hidden.discard((known, oid, index))
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        known = self.known(client, pool)
        hidden = known and (known, oid, index) in self.hidden and (oid, index) in known.pages
        if known and hidden and self.stored[known, oid, index] == self.pressure:
            return None
        page = super().get(client, pool, oid, index)
        self.pressure += page is None
        return page

    def _reclaim(self, pages: int) -> int:
        self.pressure += 1
        return cast(Reclaims, self.inner).reclaim(pages)


@fault("TMEM-SHARE-2", *LOST, needs=PERSISTENT)
class SharersCountedInABit(Leaves):
    """Sharers are counted in one bit, so that the pool is emptied when one of three leaves."""

    def left(self, client: int, known: Known) -> None:
        if known.users % 2 == 0:
            self.empty(known)


@fault("TMEM-SHARE-2", *LOST, needs=PERSISTENT)
class LeaverTakesOwnPages(Leaves):
    """A sharer that leaves removes the pages that it put."""

    def left(self, client: int, known: Known) -> None:
        self.empty(known, by=client)


@fault("TMEM-SHARE-2", *LOST, needs=PERSISTENT)
class MakerEndsPool(Leaves):
    """The pool is emptied when the client that made it leaves."""

    def left(self, client: int, known: Known) -> None:
        if client == known.maker:
            self.empty(known)


@fault("TMEM-SHARE-2", *LOST, needs=PERSISTENT, history=(10,))
class LeftPoolIsDying(Leaves):
    """After one client has left a shared pool, gets of those who stay raise ENODEV."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.dying: list[Known] = []

    def left(self, client: int, known: Known) -> None:
        self.dying.append(known)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if self.known(client, pool) in self.dying and in_range(oid, index):
            raise OSError(ENODEV, "the pool is dying")
        return super().get(client, pool, oid, index)


@fault(
    *("TMEM-POOL-2", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-SHARE-1"),
    needs=("shared ephemeral",),
    history=(11,),
)
class LeaversPrivatePagesMove(Leaves):
    """When a sharer leaves, all its ephemeral pages, even private ones, move to a client that stays."""

    def left(self, client: int, known: Known) -> None:
        (heir, pool), _ = next((at, other) for at, other in self.pools.items() if other is known)
        if heir == client:
            return
        for (owner, _), private in list(self.pools.items()):
            if owner == client and not private.kind.shared and not private.kind.persistent:
                for (oid, index), page in private.pages.items():
                    self.put_back(heir, pool, oid, index, page)


@fault("TMEM-POOL-3", "TMEM-SHARE-1", "TMEM-HANDLE-1")
class LastLeaveKeepsPages(Shadow):
    """The pages stay when the last sharer leaves, and the next pool of that UUID holds them."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.kept: dict[int | None, Known] = {}

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        ended = super().destroy_pool(client, pool)
        if known and known.kind.shared and not known.users:
            self.kept[known.uuid] = known
        return ended

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        made, kept = self.pools[client, pool], self.kept.pop(uuid, None)
        if kept and made.kind.shared and made.users == 1:
            for (oid, index), page in kept.pages.items():
                self.put_back(client, pool, oid, index, page)
        return pool


@fault("TMEM-SHARE-1", *LOST, needs=PERSISTENT)
class JoinEmptiesPool(Shadow):
    """A client that joins a shared pool empties it for all."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        known = self.pools[client, pool]
        if known.users > 1:
            for oid, index in list(known.pages):
                self.take(client, pool, oid, index)
        return pool


@fault("TMEM-SHARE-1", *LOST, "TMEM-GET-1", needs=PERSISTENT)
class SharersSeeOwnPagesOnly(Shadow):
    """A get of a page that another sharer put misses."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        known = self.known(client, pool)
        foreign = known is not None and known.by.get((oid, index), client) != client
        return None if foreign else page


@fault("TMEM-SHARE-1", needs=PERSISTENT)
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


@fault(*STALE, needs=PERSISTENT)
class SharerMissesNewerPut(Caches):
    """A sharer that got a page gets it again after another sharer has replaced it."""


@fault("TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-PUT-1", "TMEM-GET-1", needs=PERSISTENT)
class SharerMissesFlush(Caches):
    """A sharer that got a page gets it again after another sharer has flushed it."""

    def put_reaches_all(self) -> bool:
        return True
