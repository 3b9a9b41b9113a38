"""Faults of refusals: correct calls that are refused, refused calls that take effect, and bad numbers."""

from __future__ import annotations

from typing import cast

from tmem.conformance.conforming.wrapper import Page, Reclaiming, Shadow, Wrapper
from tmem.conformance.faults.duplicates import KeepsOld
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.abi.errors import EEMPTY, EFROZEN, EINVAL, ENODEV, ENOMEM, ENOSPC, EPERM
from tmem.spec.abi.flags import PERSIST, SHARED, kind_of, objection
from tmem.spec.backend import Backend, TellsFlags
from tmem.spec.handle import in_range

NEEDS = ("pool_flags",)


class RefusedDuplicate(KeepsOld):
    """Every third duplicate put raises `errno`, and the old page stays."""

    errno: int

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return self.every(3)

    def answer(self) -> bool:
        raise OSError(self.errno, "a page is there")


@fault("TMEM-PUT-1")
class DuplicateInvalidKeepsOld(RefusedDuplicate):
    """Every third duplicate put raises EINVAL, and the old page stays."""

    errno = EINVAL


@fault("TMEM-PUT-1")
class DuplicateForbiddenKeepsOld(RefusedDuplicate):
    """Every third duplicate put raises EPERM, and the old page stays."""

    errno = EPERM


@fault("TMEM-PUT-1")
class DuplicateHasNoPoolKeepsOld(RefusedDuplicate):
    """Every third duplicate put raises ENODEV, and the old page stays."""

    errno = ENODEV


@fault("TMEM-PUT-1")
class DuplicateEmptyKeepsOld(RefusedDuplicate):
    """Every third duplicate put raises EEMPTY, and the old page stays."""

    errno = EEMPTY


@fault("TMEM-PUT-1", "TMEM-PUT-3")
class DuplicateHasNoSpaceKeepsOld(RefusedDuplicate):
    """Every third duplicate put raises ENOSPC, and the old page stays."""

    errno = ENOSPC


@fault("TMEM-PUT-1")
class PutForbidden(Wrapper):
    """Every fifth correct put raises EPERM and stores nothing."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if stored and self.every(5):
            self.flush_page(client, pool, oid, index)
            raise OSError(EPERM, "no put")
        return stored


class DestroyRefused(Shadow):
    """Every destroy of a live pool raises `errno` and does nothing."""

    errno: int

    def destroy_pool(self, client: int, pool: int) -> bool:
        if self.known(client, pool) is not None:
            raise OSError(self.errno, "the pool is in use")
        return super().destroy_pool(client, pool)


@fault("TMEM-POOL-3")
class DestroyForbidden(DestroyRefused):
    """Every destroy of a live pool raises EPERM and does nothing."""

    errno = EPERM


@fault("TMEM-POOL-3")
class DestroyFindsNoPool(DestroyRefused):
    """Every destroy of a live pool raises ENODEV and does nothing."""

    errno = ENODEV


class PersistentDenied(Shadow):
    """Every get of a persistent page but the first raises `errno`."""

    errno: int

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.got: set[tuple[int, int, int, int]] = set()

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        at, kind = (client, pool, oid, index), self.kind(client, pool)
        if at in self.got and kind and kind.persistent and self.held(*at) is not None:
            raise OSError(self.errno, "not now")
        page = super().get(*at)
        self.got.add(at)
        return page


@fault(*LOST, needs=("private persistent",))
class GetOutOfMemoryForEver(PersistentDenied):
    """Every get of a persistent page but the first raises ENOMEM."""

    errno = ENOMEM


@fault(*LOST, needs=("private persistent",))
class GetOutOfSpaceForEver(PersistentDenied):
    """Every get of a persistent page but the first raises ENOSPC."""

    errno = ENOSPC


@fault(*LOST, needs=("private persistent",))
class GetFrozenForEver(PersistentDenied):
    """Every get of a persistent page but the first raises EFROZEN."""

    errno = EFROZEN


@fault("TMEM-POOL-1")
class PoolIdNegative(Wrapper):
    """Every third new pool answers -1."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        return -1 if self.every(3) else pool


@fault("TMEM-POOL-1")
class PoolIdTooWide(Wrapper):
    """Every third new pool answers an id of 41 bits."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return super().new_pool(client, flags, uuid) | (self.every(3) << 40)


@fault("TMEM-POOL-4")
class NewPoolInvalid(Wrapper):
    """Every third new pool with correct flags is refused with EINVAL."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is None and self.every(3):
            raise OSError(EINVAL, "no pool")
        return super().new_pool(client, flags, uuid)


@fault("TMEM-POOL-3", "TMEM-POOL-2", "TMEM-SHARE-1", needs=("shared",))
class RefusedSharerStays(Shadow):
    """Every other request for a shared pool is refused with ENOMEM after the client has joined."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if not kind_of(flags, uuid).shared or self.every(2) is False:
            return super().new_pool(client, flags, uuid)
        self.inner.new_pool(client, flags, uuid)
        raise OSError(ENOMEM, "no room for a pool")


@fault("TMEM-POOL-3")
class DeadPoolFlushed(Wrapper):
    """Flush page of an id without a pool answers True."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        try:
            return super().flush_page(client, pool, oid, index)
        except OSError as error:
            if error.errno == ENODEV:
                return True
            raise


@fault("TMEM-POOL-3")
class DeadPoolHasNoRoom(Wrapper):
    """A put to an id without a pool raises ENOMEM."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        try:
            return super().put(client, pool, oid, index, page)
        except OSError as error:
            if error.errno == ENODEV and in_range(oid, index) and len(page) == self.page_size:
                raise OSError(ENOMEM, "no room") from error
            raise


@fault("TMEM-ERR-1", needs=("reclaim",))
class ReclaimAnswersTooMuch(Reclaiming):
    """Reclaim answers a thousand million more pages than it removed."""

    def reclaim(self, pages: int) -> int:
        return super().reclaim(pages) + 10**9


class ReportsFlags(Shadow):
    """Answers pool flags with what `reported` returns."""

    def reported(self, flags: int, client: int, pool: int) -> int:
        """Return the flags that are answered in place of the flags of the pool."""
        return flags

    def pool_flags(self, client: int, pool: int) -> int:
        return self.reported(cast(TellsFlags, self.inner).pool_flags(client, pool), client, pool)


@fault("TMEM-POOL-5", needs=("pool_flags", "private persistent"))
class PersistentShownEphemeral(ReportsFlags):
    """Pool flags say that a private persistent pool is ephemeral."""

    def reported(self, flags: int, client: int, pool: int) -> int:
        return flags if flags & SHARED else flags & ~PERSIST


@fault("TMEM-POOL-5", needs=NEEDS)
class EphemeralShownPersistent(ReportsFlags):
    """Pool flags say that every pool is persistent."""

    def reported(self, flags: int, client: int, pool: int) -> int:
        return flags | PERSIST


@fault("TMEM-POOL-5", needs=NEEDS)
class FlagsOfUnknownVersion(ReportsFlags):
    """Pool flags have a version of the specification that does not exist."""

    def reported(self, flags: int, client: int, pool: int) -> int:
        return flags | 0xFF << 24


@fault("TMEM-POOL-5", needs=NEEDS)
class PoolFlagsForbidden(ReportsFlags):
    """Pool flags raise EPERM."""

    def reported(self, flags: int, client: int, pool: int) -> int:
        raise OSError(EPERM, "not yours to know")


@fault("TMEM-SHARE-1", needs=("shared persistent", "shared ephemeral"))
class JoinerGetsKindOfPool(Shadow):
    """A client that asks for another kind joins the shared pool, and there is no pool flags to say so."""

    def __getattr__(self, name: str) -> object:
        if name == "pool_flags":
            raise AttributeError(name)
        return super().__getattr__(name)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if objection(flags, self.page_size) is None and kind_of(flags, uuid).shared:
            makers = [known.kind for known in self.pools.values() if known.kind.shared and known.uuid == uuid]
            if makers:
                flags = flags & ~PERSIST | (PERSIST if makers[0].persistent else 0)
        return super().new_pool(client, flags, uuid)
