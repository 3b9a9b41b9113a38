"""Faults of pools: how they are made, ended and refused."""

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
    """Every third new pool answers the id of a pool that the client already has."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        mine = [pool for owner, pool in self.pools if owner == client]
        if mine and objection(flags, self.page_size) is None and self.every(3):
            return mine[-1]
        return super().new_pool(client, flags, uuid)


class PoolsSurvive(Shadow):
    """A destroy pool that keeps the pools for which `survives` says so."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        known = self.known(client, pool)
        if known and self.survives(pool, known):
            return self.answer()
        return super().destroy_pool(client, pool)

    def survives(self, pool: int, known: Known) -> bool:
        """Whether the pool survives."""
        return True

    def answer(self) -> bool:
        """Return the answer of a destroy that kept the pool."""
        return True


SURVIVES = ("TMEM-POOL-3", "TMEM-POOL-2", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-SHARE-2")


@fault(*SURVIVES)
class DestroyIgnored(PoolsSurvive):
    """Destroy pool answers True and does nothing."""


@fault(*SURVIVES)
class DestroyBusyPool(PoolsSurvive):
    """Destroy pool of a pool that holds pages answers False and does nothing."""

    def survives(self, pool: int, known: Known) -> bool:
        return bool(known.pages)

    def answer(self) -> bool:
        return False


@fault(*SURVIVES)
class PoolZeroNeverEnds(PoolsSurvive):
    """A pool with id 0 cannot be destroyed."""

    def survives(self, pool: int, known: Known) -> bool:
        return pool == 0


@fault(*SURVIVES, needs=("shared persistent",))
class LeaverStaysIn(PoolsSurvive):
    """A client that leaves a shared pool while others stay keeps its access."""

    def survives(self, pool: int, known: Known) -> bool:
        return known.users > 1


@fault("TMEM-POOL-3", "TMEM-POOL-2")
class DestroyLate(Shadow):
    """Destroy pool takes effect at the next new pool."""

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
    """The pages of a pool that ended return in the next pool that the client makes."""

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
    """Destroy pool frees the pool but not its pages, which the client's next pool then holds."""


@fault(*OUTLIVES)
class DestroySparesHighIndexes(PagesOutliveTheirPool):
    """Destroy pool frees only the first node of each radix tree, indexes 0 to 63."""

    def stays(self, oid: int, index: int) -> bool:
        return index > 63


@fault(*OUTLIVES)
class DestroySparesObjectZero(PagesOutliveTheirPool):
    """Destroy pool leaves object 0, since it starts at object id 1."""

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
    """An id without a pool is not checked: it finds the client's first pool."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, self.found(client, pool), oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, self.found(client, pool), oid, index)

    def found(self, client: int, pool: int) -> int:
        """Return the pool that the id finds."""
        if (client, pool) in self.pools:
            return pool
        return next((mine for owner, mine in self.pools if owner == client), pool)


@fault("TMEM-POOL-3", "TMEM-HANDLE-1", "TMEM-POOL-2", history=(17,))
class NegativePoolIdIsLast(PoolIdsNotChecked):
    """Pool id -1 finds the client's last pool, as index -1 does in a list."""

    def found(self, client: int, pool: int) -> int:
        mine = [other for owner, other in self.pools if owner == client]
        return mine[-1] if pool == -1 and mine else pool


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
class DestroyEndsAllPools(Shadow):
    """Destroy pool ends every pool of the client."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        ended = super().destroy_pool(client, pool)
        for owner, other in list(self.pools):
            if owner == client and ended:
                super().destroy_pool(client, other)
        return ended


class FlagsTaken(Wrapper):
    """Does not check some bits of the flag word that must be checked."""

    def __init__(self, inner: Backend, mend: Callable[[int, int], int]) -> None:
        super().__init__(inner)
        self.mend = mend

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return super().new_pool(client, self.mend(flags, self.page_size), uuid)


def takes_flags(mend: Callable[[int, int], int]) -> Callable[[int, int], int]:
    """Register a function that makes a wrong flag word look right, given the flags and the page size."""
    register(mend, lambda inner: FlagsTaken(inner, mend), ("TMEM-POOL-4",))
    return mend


@takes_flags
def reserved_flags_taken(flags: int, page_size: int) -> int:
    """New pool does not check the reserved bits."""
    return flags & ~RESERVED


@takes_flags
def highest_reserved_flag_taken(flags: int, page_size: int) -> int:
    """New pool does not check the highest reserved bit."""
    return flags & ~(1 << 23)


@takes_flags
def precompressed_taken(flags: int, page_size: int) -> int:
    """New pool grants precompression and stores pages uncompressed."""
    return flags & ~PRECOMPRESSED


@takes_flags
def any_version_taken(flags: int, page_size: int) -> int:
    """New pool does not check the version of the specification."""
    return flags & ~(VERSION_MASK << VERSION_SHIFT)


@takes_flags
def any_page_size_taken(flags: int, page_size: int) -> int:
    """New pool does not check the page size."""
    other = flags & ~(PAGE_SIZE_MASK << PAGE_SIZE_SHIFT)
    return other | page_size_nibble(page_size) << PAGE_SIZE_SHIFT


@fault("TMEM-POOL-4")
class FlagsRefusedAsInvalid(Wrapper):
    """New pool refuses bad flags with EINVAL instead of EPERM."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is not None:
            raise OSError(EINVAL, "bad flags")
        return super().new_pool(client, flags, uuid)


@fault("TMEM-POOL-3", "TMEM-POOL-4", needs=("pool id of two clients",))
class RefusedFlagsMakePool(Wrapper):
    """New pool refuses bad flags with EPERM after it has made the pool."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is not None:
            with suppress(OSError):
                super().new_pool(client, page_size_nibble(self.page_size) << PAGE_SIZE_SHIFT)
            raise OSError(EPERM, "bad flags")
        return super().new_pool(client, flags, uuid)


@fault(*LOST, needs=PERSISTENT)
class PersistFlagLost(Wrapper):
    """A persistent pool is made ephemeral, and its flags say that it is persistent."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.shown: dict[tuple[int, int], int] = {}
        if isinstance(inner, TellsFlags):
            self.pool_flags = self._pool_flags  # only where the backend has it

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        loses = flags & PERSIST and objection(flags, self.page_size) is None and self.loses(client, uuid)
        pool = super().new_pool(client, flags & ~PERSIST if loses else flags, uuid)
        self.shown[client, pool] = PERSIST if loses else 0
        return pool

    def loses(self, client: int, uuid: int | None) -> bool:
        """Whether this pool loses its flag."""
        return uuid is None

    def _pool_flags(self, client: int, pool: int) -> int:
        return cast(TellsFlags, self.inner).pool_flags(client, pool) | self.shown.get((client, pool), 0)


@fault(*LOST, needs=PERSISTENT)
class SecondPersistFlagLost(PersistFlagLost):
    """A client's second persistent pool is made ephemeral, and its flags say that it is persistent."""

    def loses(self, client: int, uuid: int | None) -> bool:
        return uuid is None and self.every(2, str(client))
