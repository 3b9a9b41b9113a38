"""The bare loop over lz4: what no store of lz4 pages in Python can beat one page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.subjects import GET, PUT, Handle
from lz4.block import compress, decompress


class Loop:
    """Put compresses and keeps nothing; get decompresses data that lies in a list: its keys are the data."""

    offers = frozenset({PUT, GET})

    def __init__(self, folder: Path) -> None:
        pass

    def keys(self, handles: Sequence[Handle]) -> list[Handle]:
        return list(handles)

    def hold(self, keys: Sequence[Handle], pages: Sequence[bytes]) -> list[bytes]:
        return [compress(page) for page in pages]

    def put(self, keys: Sequence[Handle], pages: Sequence[bytes]) -> int:
        for page in pages:
            compress(page)
        return len(pages)

    def get(self, keys: Sequence[bytes]) -> int:
        hits = 0
        for data in keys:
            hits += decompress(data) is not None
        return hits

    def read(self, key: bytes) -> bytes:
        page: bytes = decompress(key)
        return page

    def take(self, keys: Sequence[bytes]) -> int:
        raise NotImplementedError

    def flush(self, keys: Sequence[Handle]) -> int:
        return 0

    def close(self) -> None:
        """Nothing outlives the object."""
