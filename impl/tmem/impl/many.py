"""Many pages in one call: each is a put or a get of its own, and they share what a call costs.

Whatever is out of the ordinary (a page that lacks room, a codec or a host that says no, a pool that ends
meanwhile, a miss) is left to the operation for one page, so that there is one place for each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, cast

from tmem.impl.arguments import bad_handle, bad_page, copied, no_memory
from tmem.impl.pam import Pampd
from tmem.impl.pool import Pool
from tmem.impl.waiting import take
from tmem.spec.abi.errors import EINVAL
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS

PIECE = 64
"""Pages that are done in one hold of a lock, at most: some 20 µs."""

Slot = tuple[int, int]
"""Object id and index."""
Page = bytes | bytearray | memoryview


class Way(NamedTuple):
    """The way to the pages: the client's pool id, what it stands for, and the table that says so."""

    client: int
    pool: int
    owner: Pool
    table: dict[int, Pool]


def check_slots(slots: Sequence[Slot]) -> None:
    """Raise what the operation for one page would, for the first slot that cannot be."""
    for oid, index in slots:
        try:
            if oid >> OBJECT_BITS or index >> INDEX_BITS:
                raise bad_handle(oid, index)
        except TypeError:
            raise bad_handle(oid, index) from None


def asked_puts(slots: Sequence[Slot], pages: Sequence[Page], page_size: int) -> Sequence[bytes]:
    """The pages as the store's own; what one put would raise, for the first argument that cannot be."""
    if len(slots) != len(pages):
        raise OSError(EINVAL, f"{len(slots)} slots and {len(pages)} pages: give one page for each")
    check_slots(slots)
    kept = cast("Sequence[bytes]", pages) if _only(bytes, map(type, pages)) else list(map(copied, pages))
    if not _only(page_size, map(len, kept)):
        raise bad_page(next(page for page in kept if len(page) != page_size), page_size)
    return kept


def _only(expected: object, things: Iterable[object]) -> bool:
    """Whether none is another."""
    return set(things) <= {expected}


def put_many(
    way: Way, slots: Sequence[Slot], pages: Sequence[bytes], put: Callable[[int, int, int, int, bytes], bool]
) -> list[bool]:
    """Put each page, in order; `put` does it for one."""
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
    """Store pages until one meets a difficulty; how many."""
    _, pool, owner, table = way
    stored = 0
    pampds: Sequence[Pampd] = []
    try:
        pampds = owner.pam.create_many(pages)
        if not owner.lock.acquire(False):
            take(owner.lock)
        try:
            if table.get(pool) is owner:
                for (oid, index), pampd in zip(slots, pampds, strict=True):
                    if owner.store(oid, index, pampd):
                        break
                    stored += 1
        finally:
            owner.lock.release()
    except Exception:  # met again, and told, by the put of that page alone
        pass
    for pampd in pampds[stored:]:
        owner.pam.free(pampd)
    return stored


Get = Callable[[int, int, int, int], bytes | None]


def get_many(way: Way, slots: Sequence[Slot], get: Get) -> Sequence[bytes | None]:
    """Get each page, in order; `get` does it for one."""
    some = _look if way.owner.unlocked else _take
    if len(slots) <= PIECE:
        return some(way, slots, get)
    pages: list[bytes | None] = []
    for at in range(0, len(slots), PIECE):
        pages += some(way, slots[at : at + PIECE], get)
    return pages


def _look(way: Way, slots: Sequence[Slot], get: Get) -> Sequence[bytes | None]:
    """Get pages that are found without a lock, as by one get."""
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
    """Get pages under the lock. Where hits are exclusive they leave their slots, and are freed here."""
    client, pool, owner, table = way
    if not owner.lock.acquire(False):
        take(owner.lock)
    try:
        pampds = [owner.get(*slot) for slot in slots] if table.get(pool) is owner else None
    finally:
        owner.lock.release()
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
    # The first was freed while it was read. Those after it are looked for again too, to come after it.
    return (get(way.client, way.pool, *slot) for slot in slots)
