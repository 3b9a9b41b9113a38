"""What must be true of a store while nobody is at work in it: every count, byte and entry has its cause."""

from __future__ import annotations

from collections import Counter

from tmem.impl import Store
from tmem.impl.pool import Object, Pool
from tmem.impl.room import OBJECT, POOL


def audit(store: Store) -> None:
    """Walk all of the store and compare; an AssertionError names what does not add up."""
    room, registry = store._room, store._registry
    pools = {pool for table in registry.tables.values() for pool in table.values()}
    users = Counter(pool for table in registry.tables.values() for pool in table.values())
    assert all(pool.users == users[pool] and not pool.ended for pool in pools), "users"
    assert not room.lock.locked(), "the room is locked"
    assert not registry.lock.locked(), "the registry is locked"
    used = POOL * sum(users.values())
    for pool in pools:
        used += audit_pool(pool)
    spare = sum(pool.spare for pool in pools)
    assert room.used == used + spare, f"{room.used} bytes on the account, {used} in use, {spare} to spare"
    assert room.used <= room.budget, "beyond the budget"
    assert all(pool.persistent or not pool.spare for pool in pools), "room in advance for ephemeral pages"
    assert all(0 <= pool.spare <= 2 * room.advance for pool in pools), "too much in advance, or too little"
    told = store.counters()
    assert (told.bytes, told.pools) == (used, len(pools))
    assert told.pages == sum(len(obj.pages) for pool in pools for obj in pool.objects.values())
    audit_order(store, [pool for pool in pools if not pool.persistent])


def audit_pool(pool: Pool) -> int:
    """One pool; the bytes that its pages and objects take."""
    assert not pool.lock.locked(), "a pool is locked"
    assert all(oid == obj.oid and obj.pool is pool for oid, obj in pool.objects.items())
    assert all(obj.pages and not obj.gone for obj in pool.objects.values()), "an object without a page"
    pages = [pampd for obj in pool.objects.values() for pampd in obj.pages.values()]
    assert pool.tally.pages == len(pages), f"{pool.tally.pages} pages counted, {len(pages)} held"
    return sum(pool.pam.size(pampd) + pool.cost for pampd in pages) + OBJECT * len(pool.objects)


def audit_order(store: Store, pools: list[Pool]) -> None:
    """Each ephemeral page has one entry that is not stale; stale ones are few."""
    order = store._room.order
    entries: Counter[tuple[Object, int]] = Counter()
    dead = 0
    for queue in (order._old, order._young):
        for obj, index in zip(queue.objects, queue.indexes, strict=True):
            if obj.gone or obj.pool.ended:
                dead += 1
            else:
                entries[obj, index] += 1
    stale = Counter[tuple[Object, int]]()
    for obj in (obj for pool in pools for obj in pool.objects.values()):
        for marks in (obj.stale, obj.late):
            stale.update({(obj, index): count for index, count in (marks or {}).items()})
    live = {(obj, index): 1 for pool in pools for obj in pool.objects.values() for index in obj.pages}
    assert entries == stale + Counter(live), "entries of the reclaim order"
    assert order.pages == len(live), f"{order.pages} pages in the order, {len(live)} held"
    assert order.stale == dead + stale.total(), "stale entries"
