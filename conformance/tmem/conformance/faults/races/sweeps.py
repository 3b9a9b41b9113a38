"""Races of operations on many pages: reclaim and flush object."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import cast

from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.conformance.faults.races.kinds import OVERLAP, PERSISTENT, Kinds, Slot
from tmem.spec.backend import Backend, Reclaims
from tmem.spec.handle import in_range


class ReclaimReturns(Kinds):
    """Reclaim removes a page and puts it back."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.slots: dict[Slot, None] = {}

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size and self.moves(client, pool):
            self.slots[client, pool, oid, index] = None
        return super().put(client, pool, oid, index, page)

    def reclaim(self, pages: int) -> int:
        for at in list(self.slots)[:pages]:
            with suppress(OSError):
                page = self.inner.get(*at)
                if page is not None:
                    self.inner.put(*at, page)
        return cast(Reclaims, self.inner).reclaim(0)

    def moves(self, client: int, pool: int) -> bool:
        """Whether reclaim moves pages of this pool."""
        return self.exclusive(client, pool)


@fault("TMEM-CONC-1", *OVERLAP, needs=("reclaim", "private ephemeral"))
class ReclaimOverwritesDuplicate(ReclaimReturns):
    """Reclaim puts a page back that it had removed, and replaces a page that was put meanwhile."""


@fault("TMEM-CONC-1", *OVERLAP, needs=("reclaim", "private persistent"))
class ReclaimHidesPersistent(ReclaimReturns):
    """Reclaim moves a persistent page by flushing and putting it, and a get in between misses."""

    def moves(self, client: int, pool: int) -> bool:
        return self.persistent(client, pool)

    def reclaim(self, pages: int) -> int:
        for at in list(self.slots)[:pages]:
            with suppress(OSError):
                page = self.inner.get(*at)
                self.inner.flush_page(*at)
                if page is not None:
                    self.inner.put(*at, page)
        return cast(Reclaims, self.inner).reclaim(pages)


@fault("TMEM-CONC-2", *OVERLAP, needs=PERSISTENT)
class FlushObjectTwice(Wrapper):
    """Flush object flushes twice, and removes pages that were put in between."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        found = super().flush_object(client, pool, oid)
        again = super().flush_object(client, pool, oid)
        return found or again


@fault("TMEM-FLUSH-2", "TMEM-CONC-2", *OVERLAP)
class FlushObjectFinishesLater(Wrapper):
    """Flush object leaves the work to a thread, and after a second returns before it is done."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        if not in_range(oid, 0):
            return super().flush_object(client, pool, oid)
        found: list[bool] = []

        def work() -> None:
            with suppress(OSError):
                found.append(self.inner.flush_object(client, pool, oid))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(1.0)
        return bool(found and found[0])
