"""What must be true of a store while no operation is under way: every count, byte and entry has its cause."""

from __future__ import annotations

import threading
from collections import Counter

from tmem.impl import Store
from tmem.impl.order import OrderedObject
from tmem.impl.pool import Pool
from tmem.impl.room import OBJECT, POOL
from tmem.impl.waiting import owned


def locked(lock: threading.RLock) -> bool:
    """Return whether any thread holds the lock."""
    if owned(lock) or not lock.acquire(blocking=False):
        return True
    lock.release()
    return False


def audit(store: Store) -> None:
    """Compare all parts of the store; an AssertionError names what does not add up."""
    room, registry = store._room, store._registry
    pools = {pool for table in registry.tables.values() for pool in table.values()}
    users = Counter(pool for table in registry.tables.values() for pool in table.values())
    assert all(pool.users == users[pool] and not pool.ended for pool in pools), "users"
    assert not locked(room.lock), "the room is locked"
    assert not locked(registry.lock), "the registry is locked"
    assert set(room.pools) == set(registry._pools) == pools, "pools that are not in use"
    for pool in pools:
        audit_pool(pool)
    used = sum(pool.held - pool.spare for pool in pools)
    spare = sum(pool.spare for pool in pools)
    assert room.used == used + spare, f"{room.used} bytes on the account, {used} in use, {spare} to spare"
    assert room.used <= room.budget, "beyond the budget"
    assert all(pool.persistent or not pool.spare for pool in pools), "room in advance for ephemeral pages"
    assert all(0 <= pool.spare <= 2 * room.advance for pool in pools), "too much in advance, or too little"
    counters = store.counters()
    assert counters.bytes == used, f"{counters.bytes} bytes counted, {used} in use"
    assert counters.pools == len(pools), f"{counters.pools} pools counted, {len(pools)} in use"
    pages = sum(len(obj.pages) for pool in pools for obj in pool.objects.values())
    assert counters.pages == pages, f"{counters.pages} pages counted, {pages} held"
    audit_order(store, [pool for pool in pools if not pool.persistent])


def audit_pool(pool: Pool) -> None:
    """Compare what one pool holds with what it counts."""
    assert not locked(pool.lock), "a pool is locked"
    assert all(oid == obj.oid and obj.pool is pool for oid, obj in pool.objects.items()), (
        "an object's id or pool"
    )
    assert all(obj.pages and not obj.gone for obj in pool.objects.values()), "an object without a page"
    pages = [pampd for obj in pool.objects.values() for pampd in obj.pages.values()]
    assert pool.tally.pages == len(pages), f"{pool.tally.pages} pages counted, {len(pages)} held"
    assert not pool.leaving, "detached pages are not given back"
    taken = POOL * pool.users + OBJECT * len(pool.objects)
    taken += sum(pool.pam.size(pampd) + pool.cost for pampd in pages)
    assert pool.held == taken + pool.spare, f"{pool.held} bytes held, {taken} taken, {pool.spare} to spare"


def audit_order(store: Store, pools: list[Pool]) -> None:
    """Each ephemeral page has one entry that is not stale; stale ones are few."""
    order = store._room.order
    entries: Counter[tuple[OrderedObject, int]] = Counter()
    dead = 0
    for queue in (order._old, order._young):
        for obj, index in zip(queue.objects, queue.indexes, strict=True):
            if obj.gone or obj.pool.ended:
                dead += 1
            else:
                entries[obj, index] += 1
    stale = Counter[tuple[OrderedObject, int]]()
    for obj in (obj for pool in pools for obj in pool.objects.values()):
        for marks in (obj.stale, obj.late):
            stale.update({(obj, index): count for index, count in (marks or {}).items()})
    live = {(obj, index): 1 for pool in pools for obj in pool.objects.values() for index in obj.pages}
    assert entries == stale + Counter(live), "entries of the reclaim order"
    assert order.pages == len(live), f"{order.pages} pages in the order, {len(live)} held"
    assert order.stale == dead + stale.total(), "stale entries"
