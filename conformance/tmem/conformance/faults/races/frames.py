"""Races for the frames that hold pages."""

from __future__ import annotations

import threading

from tmem.conformance.conforming.wrapper import Page, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.conformance.faults.races.kinds import OVERLAP, Slot
from tmem.spec.backend import Backend


class Frames(Wrapper):
    """Keeps pages in frames; the backend holds the number of the frame in place of the page."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()
        self.frames: list[bytes] = []
        self.free: list[int] = []
        self.used: dict[Slot, int] = {}

    def take(self) -> int:
        """Return the number of a free frame."""
        with self.lock:
            if self.free:
                return self.free.pop()
            self.frames.append(b"")
            return len(self.frames) - 1

    def give(self, at: Slot) -> None:
        """Free the frame of the slot."""
        with self.lock:
            number = self.used.pop(at, None)
            if number is not None:
                self.free.append(number)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) != self.page_size:
            return super().put(client, pool, oid, index, page)
        number = self.take()
        self.frames[number] = bytes(page)
        stored = super().put(client, pool, oid, index, number.to_bytes(self.page_size, "little"))
        with self.lock:
            if stored:
                self.used[client, pool, oid, index] = number
            else:
                self.free.append(number)
        return stored

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        token = super().get(client, pool, oid, index)
        if token is None:
            return None
        number = int.from_bytes(token, "little")
        return self.frames[number]


@fault("TMEM-CONC-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", *OVERLAP, "TMEM-PUT-2", history=(4,))
class FrameReusedBeforeRead(Frames):
    """Flush page frees a frame that a get is about to read, and a put reuses it."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        self.give((client, pool, oid, index))
        return found


@fault("TMEM-CONC-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", *OVERLAP, "TMEM-PUT-2")
class TwoPutsOneFrame(Frames):
    """Two puts get the same frame, since the next number is read and increased in two steps."""

    def take(self) -> int:
        number = len(self.frames)
        self.frames = [*self.frames, b""]
        return number
