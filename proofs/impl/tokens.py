"""A PAM of whole numbers: a page is a number, its pampd a record that is watched from create to free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from proofs.impl.copy import point

PUT: Final = b"p"
"""The page of the put under test; the contract chooses its number."""
PUT_TOO: Final = b"q"
"""The page of a put that runs during the operation under test."""
SETUP: Final = b"s"
"""A page that the store held before."""


class Page(NamedTuple):
    """A page that was returned; it is true, as bytes of a page are, even if its number is 0."""

    number: int


class Pampd:
    """The record of a page that the PAM keeps."""

    __slots__ = ("freed", "page", "size")

    def __init__(self, page: int, size: int) -> None:
        self.page = page
        self.size = size
        self.freed = False


class Tokens:
    """A PAM that gives a page up the moment it is freed, as one that recycles its memory does.

    Each function is slow: other operations may run during it. `refuses` lets `create` fail for lack
    of memory. Freeing twice, or reading after the caller's own free, is an error of the store.
    """

    overhead = 0

    def __init__(self, pages: Mapping[bytes, int]) -> None:
        self.pages = dict(pages)
        self.sizes: dict[bytes, int] = {}
        self.refuses = False
        self.made: list[Pampd] = []

    def create(self, page: bytes) -> Pampd:
        """Return a pampd for the number that these bytes stand for."""
        point()
        if self.refuses:
            raise MemoryError("the PAM has no room")
        pampd = Pampd(self.pages[page], self.sizes.get(page, 1))
        self.made.append(pampd)
        point()
        return pampd

    def size(self, pampd: Pampd) -> int:
        """Bytes of data."""
        return pampd.size

    def create_many(self, pages: Sequence[bytes]) -> list[Pampd]:
        """The pampd of each."""
        return [self.create(page) for page in pages]

    def get_data(self, pampd: Pampd) -> Page | None:
        """Return the page, or None if it was freed while it was read."""
        point()
        return None if pampd.freed else Page(pampd.page)

    def get_data_many(self, pampds: Sequence[Pampd]) -> list[Page | None]:
        """Return each page, or None for one that was freed while it was read."""
        return [self.get_data(pampd) for pampd in pampds]

    def get_data_and_free(self, pampd: Pampd) -> Page:
        """Return and free the page; no other operation has its pampd."""
        point()
        assert not pampd.freed, "a page was taken out after it was freed"
        self.free(pampd)
        return Page(pampd.page)

    def free(self, pampd: Pampd) -> None:
        """Free the page."""
        assert not pampd.freed, "a page was freed twice"
        pampd.freed = True

    def kept(self) -> int:
        """Return how many pages were made and not freed."""
        return sum(not pampd.freed for pampd in self.made)
