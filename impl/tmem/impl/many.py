"""Many pages in one call: each is a put or a get of its own, and they share the cost of the call.

What is out of the ordinary (a page that lacks room, a codec or a host that refuses, a pool that ends
meanwhile, a miss) is left to the operation for one page, so that each answer has one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from tmem.impl.arguments import bad_handle, bad_page, copied, no_memory
from tmem.impl.mend import mend_pool
from tmem.impl.pam import Pampd
from tmem.impl.pool import Pool
from tmem.impl.waiting import owned, take
from tmem.spec.abi.errors import EINVAL
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS

PIECE = 64
"""The most pages that are done in one hold of a lock: some 20 µs."""

Slot = tuple[int, int]
"""Object id and index."""
Page = bytes | bytearray | memoryview


class Way(NamedTuple):
    """How a call leads to its pages: the client's pool id, its pool, and the table that has both."""

    client: int
    pool: int
    owner: Pool
    table: dict[int, Pool]


def check_slots(slots: Sequence[Slot]) -> None:
    """Raise what the operation for one page would, for the first slot that is out of range."""
    for oid, index in slots:
        try:
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
        except TypeError:
            raise bad_handle(oid, index) from None


def asked_puts(slots: Sequence[Slot], pages: Sequence[Page], page_size: int) -> Sequence[bytes]:
    """Return copies of the pages; raise what one put would, for the first bad argument."""
    if len(slots) != len(pages):
        raise OSError(EINVAL, f"{len(slots)} slots and {len(pages)} pages: give one page for each")
    check_slots(slots)
    kept = cast("Sequence[bytes]", pages) if _only(bytes, map(type, pages)) else list(map(copied, pages))
    if not _only(page_size, map(len, kept)):
        raise bad_page(next(page for page in kept if len(page) != page_size), page_size)
    return kept


def _only(expected: object, things: Iterable[object]) -> bool:
    """Return whether all things equal the expected one."""
    return set(things) <= {expected}


def put_many(
    way: Way, slots: Sequence[Slot], pages: Sequence[bytes], put: Callable[[int, int, int, int, bytes], bool]
) -> list[bool]:
    """Put each page, in order; `put` puts one."""
    answers: list[bool] = []
    for at in range(0, len(slots), PIECE):
        some, data = slots[at : at + PIECE], pages[at : at + PIECE]
        stored = _store(way, some, data)
        answers += [True] * stored
        if stored < len(some):
            rest = zip(some[stored:], data[stored:], strict=True)
            answers += [put(way.client, way.pool, *slot, page) for slot, page in rest]
    return answers


def _store(way: Way, slots: Sequence[Slot], pages: Sequence[bytes]) -> int:
    """Store pages until one meets a difficulty; return how many."""
    _, pool, owner, table = way
    stored = 0
    pampds: Sequence[Pampd] = []
    try:
        pampds = owner.pam.create_many(pages)
        try:
            if not owner.lock.acquire(False):
                take(owner.lock)
            if table.get(pool) is owner:
                for (oid, index), pampd in zip(slots, pampds, strict=True):
                    if owner.store(oid, index, pampd):
                        break
                    stored += 1
            owner.lock.release()
        except BaseException:
            if owned(owner.lock) and stored < len(slots):
                stored += owner.peek(*slots[stored]) is pampds[stored]
            mend_pool(owner)
            raise
    except Exception:  # met again, and raised, by the put of that page alone
        pass
    finally:
        for pampd in pampds[stored:]:
            owner.pam.free(pampd)
    return stored


Get = Callable[[int, int, int, int], bytes | None]


def get_many(way: Way, slots: Sequence[Slot], get: Get) -> Sequence[bytes | None]:
    """Get each page, in order; `get` gets one."""
    some = _look if way.owner.unlocked else _take
    if len(slots) <= PIECE:
        return some(way, slots, get)
    pages: list[bytes | None] = []
    for at in range(0, len(slots), PIECE):
        pages += some(way, slots[at : at + PIECE], get)
    return pages


def _look(way: Way, slots: Sequence[Slot], get: Get) -> Sequence[bytes | None]:
    """Get pages without a lock, as one get does."""
    client, pool, owner, table = way
    objects, last = owner.objects, None
    held: dict[int, Pampd] = {}
    pampds: list[Pampd] = []
    try:
        for oid, index in slots:
            if oid is not last:
                if oid >> OBJECT_BITS:
                    break
                last, held = oid, objects[oid].pages
            if index >> INDEX_BITS:
                break
            pampds.append(held[index])
    except (KeyError, TypeError):
        pass
    if len(pampds) < len(slots) or table.get(pool) is not owner:
        return [get(client, pool, *slot) for slot in slots]
    try:
        pages = owner.pam.get_data_many(pampds)
    except MemoryError:
        raise no_memory() from None
    there = pages.index(None) if None in pages else len(pages)
    owner.tally.hits += there
    if there == len(pages):
        return pages
    return [*pages[:there], *_anew(way, slots[there:], get)]


def _take(way: Way, slots: Sequence[Slot], get: Get) -> Sequence[bytes | None]:
    """Get pages under the lock. If hits are exclusive, they leave their slots and are freed here."""
    client, pool, owner, table = way
    try:
        if not owner.lock.acquire(False):
            take(owner.lock)
        pampds = [owner.get(*slot) for slot in slots] if table.get(pool) is owner else None
        owner.lock.release()
    except BaseException:
        mend_pool(owner)
        raise
    if pampds is None:
        return [get(client, pool, *slot) for slot in slots]
    hits = [pampd for pampd in pampds if pampd is not None]
    try:
        pages = owner.pam.get_data_many(hits)
    except MemoryError:
        raise no_memory() from None
    finally:
        if owner.exclusive:
            for pampd in hits:
                owner.pam.free(pampd)
    found = iter(pages)
    answers = [None if pampd is None else next(found) for pampd in pampds]
    if None not in pages:
        return answers
    there = next(n for n, pampd in enumerate(pampds) if pampd is not None and answers[n] is None)
    return [*answers[:there], *_anew(way, slots[there:], get)]


def _anew(way: Way, slots: Sequence[Slot], get: Get) -> Iterator[bytes | None]:
    """Get pages again, of which the first was freed while it was read; the others have to come after it."""
    return (get(way.client, way.pool, *slot) for slot in slots)
