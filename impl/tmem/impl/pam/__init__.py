"""Page-addressable memory (PAM): where the data of pages lies, and the few functions that reach it.

One implementation a module: `plain` keeps compressed pages as ordinary bytes objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol, TypeVar

Pampd = NewType("Pampd", object)
"""A page descriptor: the result of `create`, which the store never looks into [T]."""

D = TypeVar("D")


class Pam(Protocol[D]):
    """The PAM operations that a host registers [T][P]. `D` is the type of its pampds, never None.

    The store calls `size` and `free` under its locks too: these two are short, raise nothing and never call
    the store. It calls all other functions without a lock, from any number of threads. Each pampd is freed
    once, but a `get_data` may run at the same time as that `free`.
    """

    overhead: int
    """Bytes of memory that a pampd takes beyond its `size`, on average."""

    def create(self, page: bytes) -> D:
        """Take a page in. If room is short, raises MemoryError, and the put fails [T]."""

    def create_many(self, pages: Sequence[bytes]) -> Sequence[D]:
        """Call `create` for each page; keep none if one raises."""

    def size(self, pampd: D) -> int:
        """Return the bytes of data that the page takes; always the same for one pampd."""

    def get_data(self, pampd: D) -> bytes | None:
        """Return the page, or None if the pampd was freed meanwhile; never another page."""

    def get_data_many(self, pampds: Sequence[D]) -> Sequence[bytes | None]:
        """Call `get_data` for each pampd."""

    def get_data_and_free(self, pampd: D) -> bytes:
        """Return the page and free the pampd, which is freed even if this raises."""

    def free(self, pampd: D) -> None:
        """Give the memory of the page back."""
