"""Host operations: the hooks by which a host grants the memory that the store takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from tmem.impl.pam import Pam

D = TypeVar("D")


class Host(Protocol):
    """The allocation hooks that a host registers [T]. An allocation that fails raises MemoryError.

    All but `page_alloc` may be called under the store's locks, and all from several threads: they are short
    and never call the store. Each allocation that succeeded is freed exactly once; `obj_free`
    and `page_free` raise nothing.
    """

    def obj_alloc(self) -> None:
        """Grant an object that is about to be made. On MemoryError, the put fails."""

    def obj_free(self) -> None:
        """Take note that an object is gone."""

    def page_alloc(self, size: int) -> None:
        """Grant `size` bytes of data. On MemoryError the put fails, and its slot holds nothing."""

    def page_free(self, size: int) -> None:
        """Take note that `size` bytes of data are gone."""


class Hosted(Generic[D]):
    """A PAM that asks the host for the bytes of each page."""

    def __init__(self, pam: Pam[D], host: Host) -> None:
        self._pam = pam
        self._host = host
        self.overhead = pam.overhead

    def create(self, page: bytes) -> D:
        """Return the pampd of the PAM; MemoryError if the host refuses its bytes."""
        pampd = self._pam.create(page)
        try:
            self._host.page_alloc(self.size(pampd))
        except BaseException:
            self._pam.free(pampd)
            raise
        return pampd

    def create_many(self, pages: Sequence[bytes]) -> list[D]:
        """Return the pampds of the PAM. If the host refuses one, frees all of them and raises MemoryError."""
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
        """Return the bytes of data."""
        return self._pam.size(pampd)

    def get_data(self, pampd: D) -> bytes | None:
        """Return the page; its bytes stay granted."""
        return self._pam.get_data(pampd)

    def get_data_many(self, pampds: Sequence[D]) -> Sequence[bytes | None]:
        """Return the pages; their bytes stay granted."""
        return self._pam.get_data_many(pampds)

    def get_data_and_free(self, pampd: D) -> bytes:
        """Return the page, and its bytes to the host."""
        size = self.size(pampd)
        try:
            return self._pam.get_data_and_free(pampd)
        finally:
            self._host.page_free(size)

    def free(self, pampd: D) -> None:
        """Free the page, and return its bytes to the host."""
        size = self.size(pampd)
        self._pam.free(pampd)
        self._host.page_free(size)
