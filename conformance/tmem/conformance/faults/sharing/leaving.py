"""Faults of leaving: what stays in a shared pool when a sharer, or the last one, leaves."""

from __future__ import annotations

from typing import cast

from tmem.conformance.conforming.wrapper import Known, Page, Shadow
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.abi.errors import ENODEV
from tmem.spec.backend import Backend, Reclaims
from tmem.spec.handle import in_range


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


@fault("TMEM-SHARE-2", *LOST, needs=("shared persistent",))
class LeaveEmptiesPool(Leaves):
    """A sharer that leaves removes all pages of the pool."""

    def left(self, client: int, known: Known) -> None:
        self.empty(known)


@fault("TMEM-SHARE-2", needs=("shared persistent",))
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


@fault("TMEM-SHARE-2", *LOST, needs=("shared persistent",))
class SharersCountedInABit(Leaves):
    """Sharers are counted in one bit, so that the pool is emptied when one of three leaves."""

    def left(self, client: int, known: Known) -> None:
        if known.users % 2 == 0:
            self.empty(known)


@fault("TMEM-SHARE-2", *LOST, needs=("shared persistent",))
class LeaverTakesOwnPages(Leaves):
    """A sharer that leaves removes the pages that it put."""

    def left(self, client: int, known: Known) -> None:
        self.empty(known, by=client)


@fault("TMEM-SHARE-2", *LOST, needs=("shared persistent",))
class MakerEndsPool(Leaves):
    """The pool is emptied when the client that made it leaves."""

    def left(self, client: int, known: Known) -> None:
        if client == known.maker:
            self.empty(known)


@fault("TMEM-SHARE-2", *LOST, needs=("shared persistent",), history=(10,))
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
