"""Host operations: the host's say in what memory the store takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from tmem.impl.pam import Pam

D = TypeVar("D")


class Host(Protocol):
    """The allocation hooks that a host registers [T]. An allocation that fails raises MemoryError.

    All but `page_alloc` may be called under the store's locks, and all from several threads: they are short
    and never call the store. What an allocation that succeeded took is given back exactly once; `obj_free`
    and `page_free` raise nothing.
    """

    def obj_alloc(self) -> None:
        """An object is about to be made; MemoryError: the put that needs it fails and leaves nothing."""

    def obj_free(self) -> None:
        """An object is gone."""

    def page_alloc(self, size: int) -> None:
        """Data of `size` bytes is about to be kept; MemoryError: the put fails and leaves nothing."""

    def page_free(self, size: int) -> None:
        """Data of `size` bytes is gone."""


class Hosted(Generic[D]):
    """A PAM whose pages the host is asked for, one by one."""

    def __init__(self, pam: Pam[D], host: Host) -> None:
        self._pam = pam
        self._host = host
        self.overhead = pam.overhead

    def create(self, page: bytes) -> D:
        """The PAM's pampd, where the host grants its bytes."""
        pampd = self._pam.create(page)
        try:
            self._host.page_alloc(self.size(pampd))
        except BaseException:
            self._pam.free(pampd)
            raise
        return pampd

    def create_many(self, pages: Sequence[bytes]) -> list[D]:
        """The PAM's pampds, where the host grants the bytes of all."""
        pampds: list[D] = []
        try:
            for page in pages:
                pampds.append(self.create(page))
        except BaseException:
            for pampd in pampds:
                self.free(pampd)
            raise
        return pampds

    def size(self, pampd: D) -> int:
        """Bytes of data."""
        return self._pam.size(pampd)

    def get_data(self, pampd: D) -> bytes | None:
        """The page; it stays the host's."""
        return self._pam.get_data(pampd)

    def get_data_many(self, pampds: Sequence[D]) -> Sequence[bytes | None]:
        """The pages; they stay the host's."""
        return self._pam.get_data_many(pampds)

    def get_data_and_free(self, pampd: D) -> bytes:
        """The page; its bytes go back to the host."""
        size = self.size(pampd)
        try:
            return self._pam.get_data_and_free(pampd)
        finally:
            self._host.page_free(size)

    def free(self, pampd: D) -> None:
        """Its bytes go back to the host."""
        size = self.size(pampd)
        self._pam.free(pampd)
        self._host.page_free(size)
