"""Faults of joining: which shared pool a new pool is, and of which kind."""

from __future__ import annotations

from typing import cast

from tmem.conformance.conforming.wrapper import Shadow
from tmem.conformance.faults.fault import LOST, STALE, fault
from tmem.spec.abi.flags import NO_UUID, PERSIST, SHARED, kind_of, objection
from tmem.spec.backend import Backend, TellsFlags
from tmem.spec.slot import Kind


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


@fault("TMEM-SHARE-1", *LOST, *STALE, "TMEM-POOL-5", needs=("shared persistent",), history=(29,))
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


@fault(*MEETS, needs=("shared persistent",))
class UuidLowWord(Misjoined):
    """Only the low 64 bits of a UUID count."""

    def joins(self, flags: int, uuid: int | None) -> tuple[int, int | None]:
        return flags, uuid & (1 << 64) - 1 if kind_of(flags, uuid).shared and uuid else uuid


@fault(*MEETS, needs=("shared persistent",))
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
