"""Faults of answers: wrong types, errors that the ABI does not have, and errors out of place."""

from __future__ import annotations

import errno
from typing import cast

from tmem.conformance.conforming.wrapper import Page, Reclaiming, Shadow, Wrapper
from tmem.conformance.faults.fault import fault
from tmem.spec.abi.errors import ENODEV
from tmem.spec.handle import in_range


@fault("TMEM-ERR-1")
class PutAnswersNothing(Wrapper):
    """Put answers None."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        super().put(client, pool, oid, index, page)
        return cast(bool, None)


@fault("TMEM-ERR-1")
class PutAnswersOne(Wrapper):
    """Put answers 1."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        return cast(bool, int(super().put(client, pool, oid, index, page)))


@fault("TMEM-ERR-1")
class PutAnswersNegativeErrno(Wrapper):
    """Every fifth put answers -12 instead of raising ENOMEM."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        stored = super().put(client, pool, oid, index, page)
        if self.every(5):
            self.flush_page(client, pool, oid, index)
            return cast(bool, -12)
        return stored


@fault("TMEM-ERR-1")
class PutRaisesMemoryError(Wrapper):
    """Every fifth put raises MemoryError."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if len(page) == self.page_size and in_range(oid, index) and self.every(5):
            raise MemoryError
        return super().put(client, pool, oid, index, page)


@fault("TMEM-FLUSH-1", "TMEM-POOL-3")
class FlushPageRefuses(Wrapper):
    """Flush page answers EINVAL and does nothing."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        raise OSError(errno.EINVAL, "no flush")


@fault("TMEM-FLUSH-2", "TMEM-POOL-3")
class FlushObjectRefuses(Wrapper):
    """Flush object answers EINVAL and does nothing."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        raise OSError(errno.EINVAL, "no flush")


@fault("TMEM-ERR-1")
class DuplicateRaisesExists(Shadow):
    """A duplicate put raises EEXIST."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if self.held(client, pool, oid, index) is not None and len(page) == self.page_size:
            raise FileExistsError(errno.EEXIST, "a page is there")
        return super().put(client, pool, oid, index, page)


@fault("TMEM-ERR-1")
class ViewRefused(Wrapper):
    """A put takes bytes only, no other buffer."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if not isinstance(page, bytes):
            raise TypeError("a page is bytes")
        return super().put(client, pool, oid, index, page)


@fault("TMEM-ERR-1")
class GetAnswersBytearray(Wrapper):
    """Get answers the frame itself as a bytearray, which the caller can change."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return page if page is None else cast(bytes, bytearray(page))


@fault("TMEM-ERR-1")
class GetAnswersView(Wrapper):
    """Get answers a view of the frame."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return page if page is None else cast(bytes, memoryview(page))


@fault("TMEM-ERR-1")
class MissAnswersFalse(Wrapper):
    """Get answers False for a miss."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        return cast(bytes, False) if page is None else page


@fault("TMEM-ERR-1")
class MissRaisesKeyError(Wrapper):
    """Get raises KeyError for a miss."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None:
            raise KeyError(index)
        return page


@fault("TMEM-ERR-1")
class MissRaisesNotFound(Wrapper):
    """Get raises ENOENT for a miss."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is None:
            raise FileNotFoundError(errno.ENOENT, "no page")
        return page


@fault("TMEM-ERR-1")
class FlushAnswersCount(Wrapper):
    """Flush object answers how many pages it removed."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        return cast(bool, int(super().flush_object(client, pool, oid)))


@fault("TMEM-ERR-1")
class FlushAnswersNothing(Wrapper):
    """Flush page answers None."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        super().flush_page(client, pool, oid, index)
        return cast(bool, None)


@fault("TMEM-ERR-1")
class FlushOfNothingRaises(Shadow):
    """Flush page of a slot that holds nothing raises KeyError."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        empty = self.known(client, pool) and self.held(client, pool, oid, index) is None
        answer = super().flush_page(client, pool, oid, index)
        if empty:
            raise KeyError(index)
        return answer


@fault("TMEM-ERR-1")
class FlushOfNoObjectRaises(Shadow):
    """Flush object of an object that holds nothing raises ENOENT."""

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        known = self.known(client, pool)
        empty = known is not None and not known.indexes(oid)
        answer = super().flush_object(client, pool, oid)
        if empty:
            raise FileNotFoundError(errno.ENOENT, "no object")
        return answer


@fault("TMEM-ERR-1")
class DestroyAnswersNothing(Wrapper):
    """Destroy pool answers None."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        super().destroy_pool(client, pool)
        return cast(bool, None)


@fault("TMEM-ERR-1")
class SecondDestroyRaises(Shadow):
    """Destroy pool raises KeyError if the id has no pool."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        if (client, pool) not in self.pools:
            raise KeyError(pool)
        return super().destroy_pool(client, pool)


@fault("TMEM-ERR-1", history=(17,))
class NoPoolRaisesIndexError(Wrapper):
    """A put to an id without a pool raises IndexError from the table of pools."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        try:
            return super().put(client, pool, oid, index, page)
        except OSError as error:
            if error.errno == ENODEV:
                raise IndexError(pool) from error
            raise


@fault("TMEM-ERR-1")
class NoPoolHasNoErrno(Wrapper):
    """A get from an id without a pool raises an OSError without errno."""

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        try:
            return super().get(client, pool, oid, index)
        except OSError as error:
            if error.errno == ENODEV:
                raise OSError("no such pool") from error
            raise


@fault("TMEM-ERR-1")
class NewPoolAnswersText(Wrapper):
    """New pool answers the id as text."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return cast(int, str(super().new_pool(client, flags, uuid)))


@fault("TMEM-ERR-1")
class FourthPoolRaises(Shadow):
    """A client's fourth new pool raises IndexError from a table of three."""

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        pool = super().new_pool(client, flags, uuid)
        if sum(owner == client for owner, _ in self.pools) > 3:
            raise IndexError("pool table")
        return pool


@fault("TMEM-ERR-1", needs=("reclaim",))
class ReclaimAnswersNegative(Reclaiming):
    """Reclaim answers -1 when it removed no page."""

    def reclaim(self, pages: int) -> int:
        return super().reclaim(pages) or -1


@fault("TMEM-ERR-1", needs=("reclaim",))
class ReclaimAnswersNothing(Reclaiming):
    """Reclaim answers None."""

    def reclaim(self, pages: int) -> int:
        super().reclaim(pages)
        return cast(int, None)


@fault("TMEM-ERR-1", needs=("reclaim",))
class ReclaimOfNothingRaises(Reclaiming):
    """Reclaim raises KeyError where no ephemeral page is left."""

    def reclaim(self, pages: int) -> int:
        gone = super().reclaim(pages)
        if pages and not gone:
            raise KeyError("the order is empty")
        return gone


@fault("TMEM-ERR-1", needs=("reclaim",), history=(20,))
class ReclaimUnlocksTwice(Reclaiming):
    """Reclaim releases a lock that it does not hold if an object has several pages."""

    def reclaim(self, pages: int) -> int:
        slots = [at[:3] for at in self.ephemeral()]
        gone = super().reclaim(pages)
        if gone and len(slots) > len(set(slots)):
            raise RuntimeError("release unlocked lock")
        return gone


@fault("TMEM-ERR-1")
class CloseRaises(Wrapper):
    """Close raises RuntimeError."""

    def close(self) -> None:
        super().close()
        raise RuntimeError("pools are left")
