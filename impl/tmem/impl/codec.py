"""Codecs: how a page becomes less data, and data a page again."""

from __future__ import annotations

from typing import Protocol

from lz4.block import compress, decompress

if decompress(compress(bytes(64))) != bytes(64):  # pragma: no cover
    raise ImportError("lz4.block does not store the size of its data by default: install lz4>=4.4,<5")


class Codec(Protocol):
    """What a PAM asks of a codec. Both functions may run in several threads at once."""

    def compress(self, page: bytes) -> bytes:
        """The data of a page, never empty."""

    def decompress(self, data: bytes) -> bytes:
        """The page again."""


class Lz4:
    """lz4 blocks; pages that lz4 cannot shrink are kept as they are, and told by their length.

    A same-filled page of 4096 bytes takes 30 to 40 bytes and a tenth of the usual time.
    """

    __slots__ = ("_page_size",)

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size

    def compress(self, page: bytes) -> bytes:
        """An lz4 block that starts with the size of the page, or the page."""
        data = compress(page)
        return data if len(data) < self._page_size else page

    def decompress(self, data: bytes) -> bytes:
        """The page again. The arguments of lz4 go by position: by keyword they cost a third more."""
        return data if len(data) == self._page_size else decompress(data)
