"""Faults of duplicate puts: what happens to the old page."""

from __future__ import annotations

import zlib

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import fault
from tmem.spec.abi.errors import EFROZEN, ENOMEM
from tmem.spec.backend import Backend


class KeepsOld(Shadow):
    """A duplicate put that answers True and keeps the old page where `spares` says so."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        old = self.held(client, pool, oid, index)
        if old is not None and len(page) == self.page_size and self.spares(old, bytes(page), client):
            return self.answer()
        return super().put(client, pool, oid, index, page)

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        """Whether the old page stays."""
        return True

    def answer(self) -> bool:
        """Return the answer of a put that kept the old page."""
        return True


@fault("TMEM-PUT-3")
class DuplicateKeepsOld(KeepsOld):
    """A duplicate put answers True and the old page stays."""


@fault("TMEM-PUT-1", "TMEM-PUT-3", history=(2,))
class FailedDuplicateKeepsOld(KeepsOld):
    """Every other duplicate put fails, and the old page stays."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return self.every(2)

    def answer(self) -> bool:
        return False


@fault("TMEM-PUT-1", "TMEM-PUT-3", history=(1,))
class NoRoomForDuplicateKeepsOld(FailedDuplicateKeepsOld):
    """Put makes room before it looks for a duplicate. If it cannot, it answers ENOMEM and the page stays."""

    def answer(self) -> bool:
        raise OSError(ENOMEM, "no room")


@fault("TMEM-PUT-1", "TMEM-PUT-3")
class FrozenDuplicateKeepsOld(FailedDuplicateKeepsOld):
    """A duplicate put answers EFROZEN and the old page stays."""

    def answer(self) -> bool:
        raise OSError(EFROZEN, "frozen")


@fault("TMEM-PUT-1", "TMEM-PUT-3", history=(28,))
class IncompressibleDuplicateKeepsOld(KeepsOld):
    """A duplicate put of a page that does not compress is refused before the old page is flushed."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return len(zlib.compress(new, 1)) >= len(new)

    def answer(self) -> bool:
        return False


@fault("TMEM-PUT-3")
class DuplicateOfZeroPageKeepsOld(KeepsOld):
    """A put of an all-zero page stores nothing and leaves the old page."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return not any(new)


@fault("TMEM-PUT-3")
class SameEndsKeepOld(KeepsOld):
    """A duplicate put is ignored if its first and last 16 bytes equal those of the old page."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return old[:16] == new[:16] and old[-16:] == new[-16:]


@fault("TMEM-PUT-3")
class EqualSumsKeepOld(KeepsOld):
    """A duplicate put is ignored if its bytes have the same sum as those of the old page."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return sum(old) == sum(new)


@fault("TMEM-PUT-3")
class OneByteKeepsOld(KeepsOld):
    """A duplicate put is ignored if it differs from the old page in one byte."""

    def spares(self, old: bytes, new: bytes, client: int) -> bool:
        return sum(a != b for a, b in zip(old, new, strict=True)) <= 1


@fault("TMEM-PUT-3", needs=("shared persistent",))
class OtherSharersPageKept(Shadow):
    """A put to a slot that holds another sharer's page answers True and leaves that page."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        held = known is not None and (oid, index) in known.pages and len(page) == self.page_size
        if known and held and known.by[oid, index] != client:
            return True
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-3")
class ThirdPutIgnored(Shadow):
    """The third page put to a slot is lost, and the second stays."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        known = self.known(client, pool)
        if known and (oid, index) in known.replaced and len(page) == self.page_size:
            return True
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-3")
class SecondPutInARowIgnored(Shadow):
    """A put right after a put to the same slot is ignored as a retry."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.last: tuple[int, int, int, int] | None = None

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        at = (client, pool, oid, index)
        again = at == self.last and len(page) == self.page_size and self.held(*at) is not None
        self.last = at
        return True if again else super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        self.last = None
        return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        self.last = None
        return super().flush_page(client, pool, oid, index)


@fault("TMEM-PUT-2", "TMEM-PUT-3", history=(19,))
class DuplicateHalfCopied(Shadow):
    """A duplicate put copies only the first half of the page; the second half is that of the old page."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        old = self.held(client, pool, oid, index)
        if old is None or len(page) != self.page_size:
            return super().put(client, pool, oid, index, page)
        half = self.page_size // 2
        return super().put(client, pool, oid, index, bytes(page)[:half] + old[half:])


@fault("TMEM-PUT-3")
class FlushUncoversOld(Shadow):
    """A replaced page stays beneath the new one, and a flush removes only the new one."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        known = self.known(client, pool)
        old = known.replaced.get((oid, index)) if known else None
        found = super().flush_page(client, pool, oid, index)
        if old is not None:
            self.put_back(client, pool, oid, index, old)
        return found


@fault("TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-SHARE-1")
class ReplacedPageMovesOn(Shadow):
    """A replaced page moves to another slot of its object."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        old = self.held(client, pool, oid, index)
        stored = super().put(client, pool, oid, index, page)
        known = self.known(client, pool)
        if stored and known and old is not None:
            for other in known.indexes(oid):
                if other != index:
                    self.put_back(client, pool, oid, other, old)
                    break
        return stored
