"""The kernel's zram with lz4, a page at a time through O_DIRECT: the kernel's own compressed pages."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

from bench.pages import PAGE
from bench.subjects import FLUSH, GET, PUT, Handle, Keyed, Missing

CONTROL = Path("/sys/class/zram-control")
SIZE = 4 << 30
BLKDISCARD = 0x1277


class Zram(Keyed):
    """A device that the bench makes, and removes at the end. Empty sectors read as zeroes: every get hits.

    O_DIRECT wants aligned memory, so bytes are copied to and from a buffer, which takes some 0.1 µs.
    """

    offers = frozenset({PUT, GET, FLUSH})

    def __init__(self, folder: Path) -> None:
        if not CONTROL.exists():
            raise Missing("the kernel has no zram module loaded: modprobe zram")
        try:
            self._number = int((CONTROL / "hot_add").read_text())
        except OSError as error:
            raise Missing(f"only root can make a zram device ({error.strerror})") from None
        try:
            self._file = self._open()
        except OSError as error:
            self._remove()
            raise Missing(f"zram with lz4 cannot be set up here: {error}") from None
        self._local = threading.local()
        self._slots: dict[Handle, int] = {}

    def keys(self, handles: Sequence[Handle]) -> list[int]:
        """Return the offsets of the handles' pages on the device."""
        slots = self._slots
        return [slots.setdefault(handle, len(slots)) * PAGE for handle in handles]

    def store(self, key: int, page: bytes) -> None:
        buffer = self._buffer()
        buffer[:] = page
        os.pwrite(self._file, buffer, key)

    def read(self, key: int) -> bytes:
        buffer = self._buffer()
        os.preadv(self._file, (buffer,), key)
        return buffer[:]

    def drop(self, key: int) -> None:
        fcntl.ioctl(self._file, BLKDISCARD, struct.pack("QQ", key, PAGE))

    def close(self) -> None:
        os.close(self._file)
        self._remove()

    def _buffer(self) -> mmap.mmap:
        try:
            buffer: mmap.mmap = self._local.buffer
        except AttributeError:
            buffer = self._local.buffer = mmap.mmap(-1, PAGE)
        return buffer

    def _open(self) -> int:
        system = Path(f"/sys/block/zram{self._number}")
        (system / "comp_algorithm").write_text("lz4")
        (system / "disksize").write_text(str(SIZE))
        return os.open(f"/dev/zram{self._number}", os.O_RDWR | os.O_DIRECT)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            Path(f"/sys/block/zram{self._number}/reset").write_text("1")
        (CONTROL / "hot_remove").write_text(str(self._number))
