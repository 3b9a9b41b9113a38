"""What every store here does with its pools: ids, flags and kinds. Pages are for the subclasses to keep."""

from __future__ import annotations

import errno
import shutil
import tempfile
import threading
from pathlib import Path


class Pools:
    page_size = 64

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tmem-foreign-"))
        self.lock = threading.Lock()
        self.pools: dict[tuple[int, int], tuple[int, bool]] = {}
        self.made = 0

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        if flags & 2 or flags & 4 or flags & 0x00FFFF00 or flags >> 24 > 1 or flags & 0xF0:
            raise OSError(errno.EPERM, "pools are private")
        with self.lock:
            number = next(n for n in range(1 << 20) if (client, n) not in self.pools)
            self.made += 1
            self.pools[client, number] = (self.made, bool(flags & 1))
            return number

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            return self.pools.pop((client, pool), None) is not None

    def pool(self, client: int, pool: int) -> tuple[int, bool]:
        found = self.pools.get((client, pool))
        if found is None:
            raise OSError(errno.ENODEV, "no such pool")
        return found

    def check(self, oid: int, index: int, page: bytes | bytearray | memoryview | None = None) -> None:
        if not 0 <= oid < 1 << 192 or not 0 <= index < 1 << 32:
            raise OSError(errno.EINVAL, "handle")
        if page is not None and len(page) != self.page_size:
            raise OSError(errno.EINVAL, "page")

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
