"""The bare loop over lz4: what no store of lz4 pages in Python can beat one page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lz4.block import compress, decompress

from bench.subjects import GET, PER_OBJECT, PUT, Handle


class Loop:
    """Put compresses and keeps nothing; get decompresses from a list of what was held: keys are places.

    The data is reached through the list while the time runs: to fetch it from memory is a part of the cost.
    """

    offers = frozenset({PUT, GET})

    def __init__(self, folder: Path) -> None:
        self._data: list[bytes] = []

    def keys(self, handles: Sequence[Handle]) -> list[int]:
        """The places, where the first handles are held first."""
        return [oid * PER_OBJECT + index for oid, index in handles]

    def hold(self, keys: Sequence[int], pages: Sequence[bytes]) -> list[int]:
        first = len(self._data)
        self._data += map(compress, pages)
        return list(range(first, len(self._data)))

    def put(self, keys: Sequence[int], pages: Sequence[bytes]) -> int:
        for page in pages:
            compress(page)
        return len(pages)

    def get(self, keys: Sequence[int]) -> int:
        data, hits = self._data, 0
        for key in keys:
            hits += decompress(data[key]) is not None
        return hits

    def read(self, key: int) -> bytes:
        page: bytes = decompress(self._data[key])
        return page

    def take(self, keys: Sequence[int]) -> int:
        raise NotImplementedError

    def flush(self, keys: Sequence[int]) -> int:
        return 0

    def close(self) -> None:
        """Do nothing: no server or device has to be closed."""
