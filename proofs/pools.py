"""Theorems of the names by which clients know pools: what is granted, ended, and kept apart."""

from __future__ import annotations

from proofs.base import Base, made, same, step, unused
from proofs.theorem import theorem
from tmem.spec.handle import Handle
from tmem.spec.slot import Does, Event, Kind
from tmem.spec.store import (
    Naming,
    Pool,
    Slot,
    destroy_pool,
    last_by,
    may_hold,
    name_key,
    named,
    new_pool,
    operate,
    stands_for,
)


@theorem("TMEM-POOL-1", "TMEM-POOL-3")
def a_pool_is_granted_under_an_id_that_is_free(
    base: Base, client: int, id: int, kind: Kind, uuid: int | None
) -> bool:
    """New pool may grant an id exactly where it stands for nothing, and then it stands for a pool."""
    store = base.store()
    granted = new_pool(store, client, id, kind, uuid)
    assert (granted is None) == (stands_for(store, client, id) is not None)
    if granted is None:
        return False
    assert stands_for(granted, client, id) is not None
    return True


@theorem("TMEM-POOL-1")
def a_pool_that_is_made_is_new_and_empty(
    base: Base, client: int, id: int, persistent: bool, other: int, other_id: int, oid: int, index: int
) -> bool:
    """A private pool that was just made is no pool that any other name stands for, and holds no page."""
    store = base.store()
    slot = Slot(Pool(base.made, Kind(persistent)), oid, index)
    if not made(store, stands_for(store, other, other_id)) or not unused(store, slot):
        return False
    granted = new_pool(store, client, id, Kind(persistent))
    if granted is None or (client, id) == (other, other_id):
        return False
    assert stands_for(granted, client, id) == slot.pool
    assert named(granted, client, Handle(id, oid, index)) == slot
    assert may_hold(granted, slot) == (None,)
    assert not same(slot.pool, stands_for(granted, other, other_id))
    return stands_for(granted, other, other_id) is not None


@theorem("TMEM-POOL-2")
def every_client_has_its_own_ids(client: int, id: int, other: int, other_id: int) -> bool:
    """Two clients may use the same id, and it is two names; so are two ids of one client."""
    if not 0 <= id < 1 << 32 or not 0 <= other_id < 1 << 32:
        return False
    assert (name_key(client, id) == name_key(other, other_id)) == (client == other and id == other_id)
    return client != other and id == other_id


@theorem("TMEM-POOL-2", "TMEM-POOL-3")
def a_name_is_changed_by_nobody_else(
    base: Base, client: int, id: int, grant: bool, kind: Kind, uuid: int | None, other: int, other_id: int
) -> bool:
    """Frame: new pool and destroy pool change what their own ⟨client, id⟩ stands for and no other."""
    if (client, id) == (other, other_id):
        return False
    store = base.store()
    then = step(store, grant, client, id, kind, uuid)
    if then is None:
        return False
    before = stands_for(store, other, other_id)
    assert stands_for(then, other, other_id) == before
    return before is not None and id == other_id


@theorem("TMEM-POOL-1", "TMEM-POOL-3", "TMEM-SHARE-1")
def the_latest_naming_counts(base: Base, first: Naming, second: Naming) -> bool:
    """An id stands for what it was granted last, so it may come back; a UUID leads to its latest pool."""
    store = base.store()._replace(namings=(first, second))
    uuid = second.pool.uuid
    assert stands_for(store, second.client, second.id) == (None if second.leaves else second.pool)
    assert uuid is None or last_by(store, uuid) == second.pool
    again = first.client == second.client and first.id == second.id
    return again and first.leaves and first.pool.uuid == uuid and first.pool.number != second.pool.number


@theorem("TMEM-POOL-2", "TMEM-HANDLE-1")
def clients_are_isolated(
    base: Base,
    client: int,
    id: int,
    does: Does,
    page: int,
    oid: int,
    index: int | None,
    other: int,
    handle: Handle,
) -> bool:
    """No operation of one client changes a slot of another's pool, unless they share the pool."""
    store = base.store()
    theirs = named(store, other, handle)
    if theirs is None or client == other or same(stands_for(store, client, id), theirs.pool):
        return False
    (before,) = may_hold(store, theirs)
    then = operate(store, client, id, Event(does, page), oid, index)
    assert may_hold(then, theirs) == (before,)
    return before is not None and id == handle.pool and oid == handle.oid and then is not store


@theorem("TMEM-POOL-3")
def destroy_ends_the_name(base: Base, client: int, id: int, event: Event[int], handle: Handle) -> bool:
    """After destroy pool the id stands for nothing: it names no slot and operations on it do nothing."""
    store = base.store()
    gone = destroy_pool(store, client, id)
    assert stands_for(gone, client, id) is None
    assert named(gone, client, Handle(id, handle.oid, handle.index)) is None
    assert operate(gone, client, id, event, handle.oid, handle.index) is gone
    return stands_for(store, client, id) is not None
