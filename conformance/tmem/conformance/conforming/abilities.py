"""Layers that leave out what a backend need not have: abilities, kinds of pools, many pools."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Shadow, Wrapper
from tmem.spec.abi.errors import ENOMEM, ENOSPC, EPERM
from tmem.spec.abi.flags import VERSION_SHIFT, kind_of
from tmem.spec.backend import Backend
from tmem.spec.handle import in_range


class Without(Wrapper):
    """Removes the ability of this name: `reclaim` or `pool_flags`."""

    def __init__(self, inner: Backend, ability: str) -> None:
        super().__init__(inner)
        self.ability = ability

    def __getattr__(self, name: str) -> object:
        if name == self.ability:
            raise AttributeError(name)
        return super().__getattr__(name)


class Refuses(Wrapper):
    """Refuses persistent or shared pools with EPERM. Later Xen refuses pools that are both."""

    def __init__(self, inner: Backend, *, persistent: bool = True, shared: bool = True) -> None:
        super().__init__(inner)
        self.persistent = persistent
        self.shared = shared

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        kind = kind_of(flags, uuid)
        if (kind.persistent and not self.persistent) or (kind.shared and not self.shared):
            raise OSError(EPERM, "no such pools here")
        return super().new_pool(client, flags, uuid)


class RefusesVersionZero(Wrapper):
    """Refuses flags of version 0, as Xen does."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if not flags >> VERSION_SHIFT:
            raise OSError(EPERM, "which version?")
        return super().new_pool(client, flags, uuid)


class FewPools(Shadow):
    """Refuses more than `most` pools of a client with ENOMEM."""

    def __init__(self, inner: Backend, most: int) -> None:
        super().__init__(inner)
        self.most = most

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        if sum(owner == client for owner, _ in self.pools) > self.most:
            self.destroy_pool(client, pool)
            raise OSError(ENOMEM, "too many pools")
        return pool


class KeepsAllOnes(Shadow):
    """Reserves object id all ones: every put to it fails."""

    ALL = (1 << 192) - 1

    def __init__(self, inner: Backend, raises: bool) -> None:
        super().__init__(inner)
        self.raises = raises

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        right = len(page) == self.page_size and in_range(oid, index) and self.known(client, pool)
        if oid != self.ALL or not right:
            return super().put(client, pool, oid, index, page)
        if self.raises:
            raise OSError(ENOSPC, "that object id is reserved")
        return False
