"""Theorems of shared pools: who joins by one UUID shares all of it, until the last one leaves."""

from __future__ import annotations

from proofs.base import Base, of_uuid, one_life, same, step, unused
from proofs.theorem import theorem
from tmem.spec.clauses.sharing import sharer_left, shown_to_sharer
from tmem.spec.handle import Handle
from tmem.spec.slot import Does, Event, Kind
from tmem.spec.store import (
    Pool,
    Slot,
    destroy_pool,
    last_by,
    may_hold,
    named,
    new_pool,
    operate,
    stands_for,
    users,
)


@theorem("TMEM-POOL-3", "TMEM-SHARE-2")
def the_last_to_leave_ends_the_pool(base: Base, client: int, id: int, slot: Slot) -> bool:
    """When the last name of a pool goes, its slots hold nothing and all others what they held."""
    store = base.store()
    pool = stands_for(store, client, id)
    if pool is None or users(store, pool) != 1:
        return False
    (before,) = may_hold(store, slot)
    gone = destroy_pool(store, client, id)
    (now,) = may_hold(gone, slot)
    assert now == (None if slot.pool.number == pool.number else before)
    if slot.pool.number == pool.number:
        assert sharer_left(slot.pool.kind, users(gone, pool), before, now)
    return before is not None and slot.pool.number == pool.number


@theorem("TMEM-SHARE-2", "TMEM-POOL-3")
def pages_stay_while_a_sharer_stays(base: Base, client: int, id: int, other: int, handle: Handle) -> bool:
    """Destroy pool by one of several sharers ends it for that client alone: the others' pages stay."""
    store = base.store()
    pool, theirs = stands_for(store, client, id), named(store, other, handle)
    if pool is None or theirs is None or (client, id) == (other, handle.pool):
        return False
    if same(pool, theirs.pool) and users(store, pool) < 2:
        return False
    gone = destroy_pool(store, client, id)
    assert named(gone, other, handle) == theirs
    assert may_hold(gone, theirs) == may_hold(store, theirs)
    return same(pool, theirs.pool) and may_hold(gone, theirs) != (None,)


@theorem("TMEM-SHARE-2", "TMEM-POOL-3")
def the_count_of_users_moves_with_the_names(
    base: Base, client: int, id: int, grant: bool, kind: Kind, uuid: int | None, pool: Pool
) -> bool:
    """A pool has a user more exactly where a name comes to stand for it, and one less where it ceases to."""
    store = base.store()
    then = step(store, grant, client, id, kind, uuid)
    if then is None:
        return False
    was, now = same(stands_for(store, client, id), pool), same(stands_for(then, client, id), pool)
    assert users(then, pool) - users(store, pool) == now - was
    return was != now and not grant


@theorem("TMEM-SHARE-1")
def sharers_of_a_uuid_see_the_same_pages(
    base: Base, a: int, a_id: int, b: int, b_id: int, kind: Kind, uuid: int, page: int, oid: int, index: int
) -> bool:
    """Two that join a UUID stand for one pool, and what the one puts the other finds."""
    store = base.store()
    if not kind.shared or not of_uuid(store, uuid):
        return False
    if not unused(store, Slot(Pool(base.made, kind, uuid), oid, index)):
        return False
    one = new_pool(store, a, a_id, kind, uuid)
    two = None if one is None else new_pool(one, b, b_id, kind, uuid)
    if two is None:
        return False
    assert stands_for(two, a, a_id) == stands_for(two, b, b_id)
    slot = named(operate(two, a, a_id, Event(Does.STORED, page), oid, index), b, Handle(b_id, oid, index))
    assert slot is not None
    (shown,) = may_hold(operate(two, a, a_id, Event(Does.STORED, page), oid, index), slot)
    assert shown == page
    assert shown_to_sharer(slot.pool.kind, slot.pool.kind, uuid, uuid, page, shown)
    return a != b


@theorem("TMEM-SHARE-1")
def uuids_never_meet(
    base: Base, a: int, a_id: int, b: int, b_id: int, kind: Kind, a_uuid: int, b_uuid: int
) -> bool:
    """Pools that were joined by different UUIDs are different pools."""
    store = base.store()
    if not kind.shared or a_uuid == b_uuid:
        return False
    if not one_life(last_by(store, a_uuid), last_by(store, b_uuid)):
        return False
    if not of_uuid(store, a_uuid) or not of_uuid(store, b_uuid):
        return False
    one = new_pool(store, a, a_id, kind, a_uuid)
    two = None if one is None else new_pool(one, b, b_id, kind, b_uuid)
    if two is None:
        return False
    assert not same(stands_for(two, a, a_id), stands_for(two, b, b_id))
    return True


@theorem("TMEM-POOL-1", "TMEM-SHARE-2")
def a_uuid_that_all_have_left_leads_to_a_new_pool(
    base: Base, client: int, id: int, kind: Kind, uuid: int, oid: int, index: int
) -> bool:
    """Who joins a UUID that nobody is in gets a pool that was never there before, and that is empty."""
    store = base.store()
    last, slot = last_by(store, uuid), Slot(Pool(base.made, kind, uuid), oid, index)
    if not kind.shared or not of_uuid(store, uuid) or not unused(store, slot):
        return False
    if last is not None and users(store, last) > 0:
        return False
    granted = new_pool(store, client, id, kind, uuid)
    if granted is None:
        return False
    assert named(granted, client, Handle(id, oid, index)) == slot
    assert may_hold(granted, slot) == (None,)
    return last is not None
