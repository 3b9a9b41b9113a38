"""Faults of arguments: values out of range that are accepted, or refused too late."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Shadow, Wrapper
from tmem.conformance.faults.fault import LOST, fault
from tmem.spec.abi.errors import EINVAL, ENOMEM
from tmem.spec.handle import in_range

OBJECT = (1 << 192) - 1
INDEX = (1 << 32) - 1


@fault("TMEM-ARG-1")
class ShortPagePadded(Wrapper):
    """A page that is too short is filled up with zeroes."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid, index, bytes(page).ljust(self.page_size, b"\0"))


@fault("TMEM-ARG-1")
class EmptyPageIsZero(Wrapper):
    """An empty page is stored as a page of zeroes."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid, index, page if len(page) else bytes(self.page_size))


@fault("TMEM-ARG-1")
class LongPageCut(Wrapper):
    """A page that is too long is cut."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid, index, page[: self.page_size])


@fault("TMEM-ARG-1")
class WideObjectIdCut(Wrapper):
    """An object id of more than 192 bits is cut."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid & OBJECT, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, oid & OBJECT, index)


@fault("TMEM-ARG-1")
class WideObjectIdFlushed(Wrapper):
    """Flush object cuts an object id of more than 192 bits."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return super().flush_object(client, pool, oid & OBJECT)


@fault("TMEM-ARG-1")
class WideIndexCut(Wrapper):
    """An index of more than 32 bits is cut."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid, index & INDEX, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, oid, index & INDEX)


@fault("TMEM-ARG-1")
class WideIndexFlushed(Wrapper):
    """Flush page cuts an index of more than 32 bits."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return super().flush_page(client, pool, oid, index & INDEX)


@fault("TMEM-ARG-1")
class NegativeIndexTaken(Wrapper):
    """Index -1 is accepted and means the last index."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return super().put(client, pool, oid, index % (1 << 32) if index == -1 else index, page)


@fault("TMEM-ARG-1")
class BadGetMisses(Wrapper):
    """A get with an object id or index out of range answers a miss."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, oid, index) if in_range(oid, index) else None


@fault("TMEM-ARG-1")
class BadPutFails(Wrapper):
    """A put of a page of the wrong length answers False."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return len(page) == self.page_size and super().put(client, pool, oid, index, page)


@fault("TMEM-ARG-1")
class BadFlushFindsNothing(Wrapper):
    """A flush with an object id or index out of range answers False."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return in_range(oid, index) and super().flush_page(client, pool, oid, index)


@fault("TMEM-ARG-1")
class BadArgumentIsNoRoom(Wrapper):
    """A put with invalid arguments raises ENOMEM, from which the caller concludes that the slot is empty."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        try:
            return super().put(client, pool, oid, index, page)
        except OSError as error:
            if error.errno == EINVAL:
                raise OSError(ENOMEM, "no room") from error
            raise


@fault("TMEM-ARG-1")
class BadObjectIdBreaks(Wrapper):
    """An object id out of range raises the internal error of the table that looks it up."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        if not 0 <= oid <= OBJECT:
            raise KeyError(oid)
        return super().get(client, pool, oid, index)


@fault(*LOST, needs=("private persistent",))
class BadPutEmptiesSlot(Shadow):
    """A page of the wrong length is refused after the old page was freed."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) != self.page_size and in_range(oid, index):
            self.take(client, pool, oid, index)
        return super().put(client, pool, oid, index, page)


@fault("TMEM-PUT-2", "TMEM-ARG-1", *LOST)
class BadPutIsHalfDone(Shadow):
    """A page of the wrong length is refused after it was copied over the old page."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        old = self.held(client, pool, oid, index)
        if old is not None and len(page) != self.page_size:
            spoilt = (bytes(page) + b"\xa7" * self.page_size)[: self.page_size]
            self.put_back(client, pool, oid, index, spoilt[::-1])
        return super().put(client, pool, oid, index, page)


@fault("TMEM-ARG-1", "TMEM-HANDLE-1", "TMEM-HANDLE-2", "TMEM-POOL-2", *LOST)
class WidePutRefusedButDone(Shadow):
    """A put to an index of more than 32 bits is refused after the page was stored at its low 32 bits."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if index > INDEX and len(page) == self.page_size and in_range(oid, 0):
            self.put_back(client, pool, oid, index & INDEX, bytes(page))
        return super().put(client, pool, oid, index, page)
