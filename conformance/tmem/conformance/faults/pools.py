"""Faults of pools: made, ended, refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from tmem.conformance.conforming.wrapper import Known, Page, Shadow, Wrapper
from tmem.conformance.faults.fault import LOST, fault, register
from tmem.spec.abi.errors import EINVAL, ENODEV, EPERM
from tmem.spec.abi.flags import (
    PAGE_SIZE_MASK,
    PAGE_SIZE_SHIFT,
    PERSIST,
    PRECOMPRESSED,
    RESERVED,
    VERSION_MASK,
    VERSION_SHIFT,
    objection,
    page_size_nibble,
)
from tmem.spec.backend import Backend, TellsFlags

PERSISTENT = ("private persistent",)


@fault("TMEM-POOL-1")
class LivePoolIdGranted(Shadow):
    """Every third new pool answers the id of a pool that the client has already."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        mine = [pool for owner, pool in self.pools if owner == client]
        if mine and objection(flags, self.page_size) is None and self.every(3):
            return mine[-1]
        return super().new_pool(client, flags, uuid)


class PoolsLiveOn(Shadow):
    """Destroy keeps the pools for which `lives` says so."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        if known and self.lives(pool, known):
            return self.answer()
        return super().destroy_pool(client, pool)

    def lives(self, pool: int, known: Known) -> bool:
        """Whether the pool stays."""
        return True

    def answer(self) -> bool:
        """What destroy answers then."""
        return True


LIVES = ("TMEM-POOL-3", "TMEM-POOL-2", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-SHARE-2")


@fault(*LIVES)
class DestroyIgnored(PoolsLiveOn):
    """Destroy pool answers True, and the pool lives on."""


@fault(*LIVES)
class DestroyBusyPool(PoolsLiveOn):
    """Destroy pool answers False where the pool holds pages, and it lives on."""

    def lives(self, pool: int, known: Known) -> bool:
        return bool(known.pages)

    def answer(self) -> bool:
        return False


@fault(*LIVES)
class PoolZeroNeverEnds(PoolsLiveOn):
    """A pool with id 0 cannot be destroyed."""

    def lives(self, pool: int, known: Known) -> bool:
        return pool == 0


@fault(*LIVES, needs=("shared persistent",))
class LeaverStaysIn(PoolsLiveOn):
    """A client that leaves a shared pool while others stay keeps its access."""

    def lives(self, pool: int, known: Known) -> bool:
        return known.users > 1


@fault("TMEM-POOL-3", "TMEM-POOL-2")
class DestroyLate(Shadow):
    """Destroy pool takes effect with the next new pool."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.late: list[tuple[int, int]] = []

    def destroy_pool(self, client: int, pool: int) -> bool:
        if (client, pool) in self.late:
            return False
        if (client, pool) not in self.pools:
            return super().destroy_pool(client, pool)
        self.late.append((client, pool))
        return True

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        while self.late:
            super().destroy_pool(*self.late.pop())
        return super().new_pool(client, flags, uuid)


class PagesOutliveTheirPool(Shadow):
    """Pages of a pool that ends return in the next pool that the client makes."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.left: dict[int, Known] = {}

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        ended = super().destroy_pool(client, pool)
        if known and not known.users:
            self.left[client] = known
        return ended

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        known, old = self.known(client, pool), self.left.pop(client, None)
        if known and old and known.users == 1:
            for (oid, index), page in old.pages.items():
                if self.stays(oid, index):
                    self.put_back(client, pool, oid, index, page)
        return pool

    def stays(self, oid: int, index: int) -> bool:
        """Whether this page outlives its pool."""
        return True


OUTLIVES = ("TMEM-POOL-3", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-SHARE-1", "TMEM-POOL-2")


@fault(*OUTLIVES)
class NewPoolShowsOldPages(PagesOutliveTheirPool):
    """Destroy pool frees the pool but not its pages, and the client's next pool has them."""


@fault(*OUTLIVES)
class DestroySparesHighIndexes(PagesOutliveTheirPool):
    """Destroy pool frees the first node of each radix tree only, indexes 0 to 63."""

    def stays(self, oid: int, index: int) -> bool:
        return index > 63


@fault(*OUTLIVES)
class DestroySparesObjectZero(PagesOutliveTheirPool):
    """Destroy pool walks the objects from id 1 on."""

    def stays(self, oid: int, index: int) -> bool:
        return oid == 0


@fault("TMEM-POOL-3")
class DeadPoolTakesPuts(Wrapper):
    """A put to an id without a pool answers True."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        try:
            return super().put(client, pool, oid, index, page)
        except OSError as error:
            if error.errno == ENODEV:
                return True
            raise


@fault("TMEM-POOL-3")
class DeadPoolShowsPages(Shadow):
    """Pages of a pool that has ended are still shown under its id."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.dead: dict[tuple[int, int], Known] = {}

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        ended = super().destroy_pool(client, pool)
        if known and not known.users:
            self.dead[client, pool] = known
        return ended

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        dead = self.dead.get((client, pool))
        if (client, pool) not in self.pools and dead and (oid, index) in dead.pages:
            return dead.pages[oid, index]
        return super().get(client, pool, oid, index)


@fault("TMEM-POOL-3", "TMEM-HANDLE-1", "TMEM-POOL-2", history=(17,))
class PoolIdsNotChecked(Shadow):
    """An id without a pool is not checked and finds the client's first pool."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, self.found(client, pool), oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, self.found(client, pool), oid, index)

    def found(self, client: int, pool: int) -> int:
        """The pool that the id finds."""
        if (client, pool) in self.pools:
            return pool
        return next((mine for owner, mine in self.pools if owner == client), pool)


@fault("TMEM-POOL-3", "TMEM-HANDLE-1", "TMEM-POOL-2", history=(17,))
class NegativePoolIdIsLast(PoolIdsNotChecked):
    """Pool id -1 finds the client's last pool, as it would in a list."""

    def found(self, client: int, pool: int) -> int:
        mine = [other for owner, other in self.pools if owner == client]
        return mine[-1] if pool == -1 and mine else pool


@fault(*LOST, "TMEM-POOL-1", "TMEM-PUT-1", "TMEM-POOL-3", "TMEM-FLUSH-1", "TMEM-FLUSH-2", needs=PERSISTENT)
class DestroyEndsAllPools(Shadow):
    """Destroy pool ends every pool of the client."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        ended = super().destroy_pool(client, pool)
        for owner, other in list(self.pools):
            if owner == client and ended:
                super().destroy_pool(client, other)
        return ended


class FlagsTaken(Wrapper):
    """Bits of the flag word that must be checked are not."""

    def __init__(self, inner: Backend, mend: Callable[[int, int], int]) -> None:
        super().__init__(inner)
        self.mend = mend

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return super().new_pool(client, self.mend(flags, self.page_size), uuid)


def takes_flags(mend: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """Register a function that makes a flag word look right; it is given the page size too."""
    register(mend, lambda inner: FlagsTaken(inner, mend), ("TMEM-POOL-4",))
    return mend


@takes_flags
def reserved_flags_taken(flags: int, page_size: int) -> int:
    """Reserved bits are not looked at."""
    return flags & ~RESERVED


@takes_flags
def highest_reserved_flag_taken(flags: int, page_size: int) -> int:
    """The mask of reserved bits is one bit short."""
    return flags & ~(1 << 23)


@takes_flags
def precompressed_taken(flags: int, page_size: int) -> int:
    """Precompression is granted, though pages are stored as they come."""
    return flags & ~PRECOMPRESSED


@takes_flags
def any_version_taken(flags: int, page_size: int) -> int:
    """The version of the specification is not looked at."""
    return flags & ~(VERSION_MASK << VERSION_SHIFT)


@takes_flags
def any_page_size_taken(flags: int, page_size: int) -> int:
    """The page size asked for is not looked at."""
    other = flags & ~(PAGE_SIZE_MASK << PAGE_SIZE_SHIFT)
    return other | page_size_nibble(page_size) << PAGE_SIZE_SHIFT


@fault("TMEM-POOL-4")
class FlagsRefusedAsInvalid(Wrapper):
    """Flags that are not taken are refused with EINVAL."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is not None:
            raise OSError(EINVAL, "bad flags")
        return super().new_pool(client, flags, uuid)


@fault("TMEM-POOL-3", "TMEM-POOL-4", needs=("pool id of two clients",))
class RefusedFlagsMakePool(Wrapper):
    """Flags that are not taken are refused with EPERM after the pool was made."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is not None:
            with suppress(OSError):
                super().new_pool(client, page_size_nibble(self.page_size) << PAGE_SIZE_SHIFT)
            raise OSError(EPERM, "bad flags")
        return super().new_pool(client, flags, uuid)


@fault(*LOST, needs=PERSISTENT)
class PersistFlagLost(Wrapper):
    """A persistent pool is made ephemeral, and says that it is persistent."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.told: dict[tuple[int, int], int] = {}
        if isinstance(inner, TellsFlags):
            self.pool_flags = self._pool_flags  # only where the backend has it

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        loses = flags & PERSIST and objection(flags, self.page_size) is None and self.loses(client, uuid)
        pool = super().new_pool(client, flags & ~PERSIST if loses else flags, uuid)
        self.told[client, pool] = PERSIST if loses else 0
        return pool

    def loses(self, client: int, uuid: int | None) -> bool:
        """Whether the flag of this pool is lost."""
        return uuid is None

    def _pool_flags(self, client: int, pool: int) -> int:
        return cast(TellsFlags, self.inner).pool_flags(client, pool) | self.told.get((client, pool), 0)


@fault(*LOST, needs=PERSISTENT)
class SecondPersistFlagLost(PersistFlagLost):
    """A client's second persistent pool is made ephemeral, and says that it is persistent."""

    def loses(self, client: int, uuid: int | None) -> bool:
        return uuid is None and self.every(2, str(client))
