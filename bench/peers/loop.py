"""The bare loop over lz4. No store in Python that compresses single pages with lz4 can be faster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lz4.block import compress, decompress

from bench.subjects import GET, PER_OBJECT, PUT, Handle


class Loop:
    """Put compresses a page and drops the result. Get decompresses an item of a list; keys are its indexes.

    The measured time includes the access to the item, since fetching it from memory is a part of the cost.
    """

    offers = frozenset({PUT, GET})

    def __init__(self, folder: Path) -> None:
        self._data: list[bytes] = []

    def keys(self, handles: Sequence[Handle]) -> list[int]:
        """Return the indexes of the handles, if they are held in their order."""
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
