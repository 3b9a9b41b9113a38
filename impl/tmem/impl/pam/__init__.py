"""Page-addressable memory (PAM): where the data of pages lies, and the few functions that reach it.

One implementation a module: `plain` keeps compressed pages as ordinary bytes objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol, TypeVar

Pampd = NewType("Pampd", object)
"""A page descriptor: what `create` gave, and never looked into by the store [T]."""

D = TypeVar("D")


class Pam(Protocol[D]):
    """The PAM operations that a host registers [T][P]. `D` is the type of its pampds, never None.

    The store calls `size` and `free` under its locks too, so these two are short, raise nothing and never
    call the store; all the others while it holds no lock, from any number of threads. Each pampd is freed
    once, but a `get_data` may run beside that `free`.
    """

    overhead: int
    """Bytes of memory that a pampd takes beyond its `size`, on average."""

    def create(self, page: bytes) -> D:
        """Take a page in. MemoryError where there is no room: the put fails [T]."""

    def create_many(self, pages: Sequence[bytes]) -> Sequence[D]:
        """`create`, of each page: all of them, or where one raises none."""

    def size(self, pampd: D) -> int:
        """Bytes of data that the page takes; always the same for one pampd."""

    def get_data(self, pampd: D) -> bytes | None:
        """The page; None where the pampd was freed meanwhile. Never another page."""

    def get_data_many(self, pampds: Sequence[D]) -> Sequence[bytes | None]:
        """`get_data`, of each pampd."""

    def get_data_and_free(self, pampd: D) -> bytes:
        """The page, and the pampd is freed, also where this raises."""

    def free(self, pampd: D) -> None:
        """Give the memory of the page back."""
