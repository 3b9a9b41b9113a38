"""Codecs: how a page becomes less data, and data a page again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lz4 import block

if block.decompress(block.compress(bytes(64))) != bytes(64):  # pragma: no cover
    raise ImportError("lz4.block does not store the size of its data by default: install lz4>=4.4,<5")


class Codec(Protocol):
    """What a PAM needs of a codec. Several threads may call all functions at once."""

    def compress(self, page: bytes, /) -> bytes:
        """Return the data of a page, which is never empty."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return the page."""

    def compress_many(self, pages: Sequence[bytes], /) -> Sequence[bytes]:
        """Return the data of each page."""
        return list(map(self.compress, pages))

    def decompress_many(self, data: Sequence[bytes], /) -> Sequence[bytes]:
        """Return each page."""
        return list(map(self.decompress, data))


class Lz4(Codec):
    """lz4 blocks that begin with the size of the page: the functions of `lz4.block` as they are.

    They release the interpreter while they work on a page. A same-filled page of 4096 bytes takes 30 to 40
    bytes and a tenth of the usual time; one that lz4 cannot shrink takes 20 bytes more than it has.
    """

    def __init__(self, page_size: int) -> None:
        """Take any page size."""

    compress = staticmethod(block.compress)
    decompress = staticmethod(block.decompress)
