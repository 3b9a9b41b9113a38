"""An arbitrary store, the promises that are all one knows of it, and that operations keep them.

A name stands for a pool that was made; a UUID leads to a shared pool of that UUID; no two pools have
one number; a pool not made yet has no users and holds no page; a pool without users holds no page.
The theorems here are the induction: the empty store has these promises, and every operation with every
answer keeps them, so every store there is has them. That the users of a pool are as many as its names is
shown by the difference: an operation changes both alike (`the_count_of_users_moves_with_the_names`).
"""

from __future__ import annotations

from typing import NamedTuple

from proofs.theorem import theorem
from tmem.spec.slot import Does, Event, Kind
from tmem.spec.store import (
    Pool,
    Slot,
    Store,
    destroy_pool,
    last_by,
    may_hold,
    new_pool,
    operate,
    stands_for,
    users,
)


class Base(NamedTuple):
    """An arbitrary store, before the operation."""

    pages: dict[int, int]
    names: dict[int, Pool]
    users: dict[int, int]
    uuids: dict[int, Pool]
    made: int

    def store(self) -> Store[int]:
        """The store of this base, nothing done to it yet."""
        return Store(self.pages, self.names, self.users, self.uuids, self.made)


def same(a: Pool | None, b: Pool | None) -> bool:
    """Whether two names stand for one pool."""
    return a is not None and b is not None and a.number == b.number


def made(store: Store[int], pool: Pool | None) -> bool:
    """Promise: what a name stands for was made, and has a UUID only if it is shared."""
    return pool is None or (pool.number < store.made and (pool.uuid is None or pool.kind.shared))


def of_uuid(store: Store[int], uuid: int) -> bool:
    """Promise: what a UUID leads to is a shared pool of that UUID, and was made."""
    pool = last_by(store, uuid)
    return pool is None or (pool.number < store.made and pool.uuid == uuid and pool.kind.shared)


def one_life(a: Pool | None, b: Pool | None) -> bool:
    """Promise: no two pools have the same number."""
    return not same(a, b) or a == b


def unused(store: Store[int], slot: Slot) -> bool:
    """Promise: a pool that was not made yet has no users and holds no page."""
    if slot.pool.number < store.made:
        return True
    return users(store, slot.pool) == 0 and may_hold(store, slot) == (None,)


def ended(store: Store[int], slot: Slot) -> bool:
    """Promise: a pool without users holds no page."""
    return users(store, slot.pool) > 0 or may_hold(store, slot) == (None,)


def step(
    store: Store[int], grant: bool, client: int, id: int, kind: Kind, uuid: int | None
) -> Store[int] | None:
    """The store after new pool or destroy pool; None where the id is taken."""
    return new_pool(store, client, id, kind, uuid) if grant else destroy_pool(store, client, id)


@theorem("TMEM-POOL-1")
def names_keep_standing_for_what_was_made(
    base: Base, grant: bool, client: int, id: int, kind: Kind, uuid: int | None, other: int, other_id: int
) -> bool:
    """Induction: the first promise outlives new pool and destroy pool."""
    store = base.store()
    if not made(store, stands_for(store, other, other_id)) or (uuid is not None and not of_uuid(store, uuid)):
        return False
    then = step(store, grant, client, id, kind, uuid)
    if then is None:
        return False
    now = stands_for(then, other, other_id)
    assert made(then, now)
    return now is not None and grant


@theorem("TMEM-SHARE-1")
def uuids_keep_leading_to_their_pools(
    base: Base, grant: bool, client: int, id: int, kind: Kind, uuid: int | None, other: int
) -> bool:
    """Induction: the second promise outlives new pool and destroy pool."""
    store = base.store()
    if not of_uuid(store, other) or (uuid is not None and not of_uuid(store, uuid)):
        return False
    pool = stands_for(store, client, id)
    if pool is not None and not (pool.uuid is None or (pool.kind.shared and pool.number < base.made)):
        return False
    then = step(store, grant, client, id, kind, uuid)
    if then is None:
        return False
    assert of_uuid(then, other)
    return last_by(then, other) is not None and grant


@theorem("TMEM-POOL-1", "TMEM-POOL-2")
def only_a_shared_pool_gets_a_second_name(
    base: Base, client: int, id: int, kind: Kind, uuid: int | None, other: int, other_id: int
) -> bool:
    """Induction: a number is that of one pool, and a pool that gets a second name is shared."""
    store = base.store()
    theirs, joins = stands_for(store, other, other_id), None if uuid is None else last_by(store, uuid)
    if (
        not made(store, theirs)
        or not one_life(theirs, joins)
        or (uuid is not None and not of_uuid(store, uuid))
    ):
        return False
    granted = new_pool(store, client, id, kind, uuid)
    if granted is None or (client, id) == (other, other_id):
        return False
    mine = stands_for(granted, client, id)
    assert one_life(mine, theirs)
    assert mine is not None
    if same(mine, theirs):
        assert mine.kind.shared
        return True
    return False


@theorem("TMEM-POOL-1")
def unused_pools_stay_empty(
    base: Base, client: int, id: int, does: Does, page: int, oid: int, index: int | None, slot: Slot
) -> bool:
    """Induction: the last promise outlives every operation, since all of them go to pools that were made."""
    store = base.store()
    if not unused(store, slot) or not made(store, stands_for(store, client, id)):
        return False
    then = operate(store, client, id, Event(does, page), oid, index)
    assert unused(then, slot)
    return then is not store and slot.pool.number >= base.made


@theorem("TMEM-POOL-1")
def the_empty_store_keeps_every_promise(client: int, id: int, other: int, uuid: int, slot: Slot) -> bool:
    """Induction: the store of which nothing was asked yet has every promise."""
    store: Store[int] = Store({}, {}, {}, {})
    named, joined = stands_for(store, client, id), last_by(store, uuid)
    assert named is None
    assert joined is None
    assert made(store, named)
    assert of_uuid(store, uuid)
    assert one_life(named, stands_for(store, other, id))
    assert unused(store, slot)
    assert ended(store, slot)
    assert users(store, slot.pool) == 0
    return slot.pool.number >= 0


@theorem("TMEM-POOL-2")
def operations_on_pages_change_no_names(
    base: Base,
    client: int,
    id: int,
    does: Does,
    page: int,
    oid: int,
    index: int | None,
) -> bool:
    """Induction: put, get, flush and reclaim change no name, no UUID and no count."""
    store = base.store()
    then = operate(store, client, id, Event(does, page), oid, index)
    assert then._replace(effects=()) == store
    return then is not store


@theorem("TMEM-POOL-1")
def a_pool_that_was_not_made_gets_no_users(
    base: Base, grant: bool, client: int, id: int, kind: Kind, uuid: int | None, slot: Slot
) -> bool:
    """Induction: a pool that is not made yet stays unused while others are made and ended."""
    store = base.store()
    mine, joins = stands_for(store, client, id), None if uuid is None else last_by(store, uuid)
    if not made(store, mine) or not made(store, joins) or users(store, slot.pool) != 0:
        return False
    then = step(store, grant, client, id, kind, uuid)
    if then is None or slot.pool.number < then.made:
        return False
    assert users(then, slot.pool) == 0
    assert all(effect.pool.number < then.made for effect in then.effects)
    return grant


@theorem("TMEM-POOL-3", "TMEM-SHARE-2")
def pools_without_users_stay_empty(
    base: Base, grant: bool, client: int, id: int, kind: Kind, uuid: int | None, slot: Slot
) -> bool:
    """Induction: whoever joins or leaves, a pool without users holds no page."""
    store = base.store()
    if not ended(store, slot) or not unused(store, slot):
        return False
    then = step(store, grant, client, id, kind, uuid)
    if then is None:
        return False
    assert ended(then, slot)
    return not grant and users(store, slot.pool) == 1 and users(then, slot.pool) == 0


@theorem("TMEM-POOL-3")
def no_operation_fills_a_pool_without_users(
    base: Base, client: int, id: int, does: Does, page: int, oid: int, index: int | None, slot: Slot
) -> bool:
    """Induction: an operation on pages goes to a pool that a name stands for, so a pool that has users."""
    store = base.store()
    pool = stands_for(store, client, id)
    if not ended(store, slot) or (pool is not None and users(store, pool) < 1):
        return False
    then = operate(store, client, id, Event(does, page), oid, index)
    assert ended(then, slot)
    return then is not store and users(store, slot.pool) == 0
