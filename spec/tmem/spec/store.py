"""A store as the product of its slots, and the names by which clients know its pools.

The state is a base that is only looked up and tuples of changes, newest last: what holds now is found
by walking the changes. So an arbitrary state is any base, an operation is one change more, and the
theorems of `proofs/` speak of every store there is. What a change does to a slot is `slot.after` and
nothing else; the vanishing of a page is the event RECLAIMED, which may come at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple

from tmem.spec.handle import INDEX_BITS, OBJECT_BITS, Handle
from tmem.spec.slot import Does, Event, Kind, P, after


class Pool(NamedTuple):
    """One life of a pool, by whatever ids clients know it; no two lives have the same number."""

    number: int
    kind: Kind
    uuid: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """What a handle names: the pool that ⟨client, pool id⟩ stands for, the object id, the index."""

    pool: Pool
    oid: int
    index: int

    def key(self) -> int:
        """The slot as one integer, in which every bit of the handle counts (TMEM-HANDLE-2)."""
        return (self.pool.number * (1 << OBJECT_BITS) + self.oid) * (1 << INDEX_BITS) + self.index


@dataclass(frozen=True, slots=True)
class Effect(Generic[P]):
    """An event given to one slot, to every index of an object (no index), or to a whole pool (no oid)."""

    event: Event[P]
    pool: Pool
    oid: int | None = None
    index: int | None = None

    def covers(self, slot: Slot) -> bool:
        """Whether the event is given to this slot."""
        if self.pool.number != slot.pool.number:
            return False
        return (self.oid is None or self.oid == slot.oid) and (self.index is None or self.index == slot.index)


class Naming(NamedTuple):
    """From now on ⟨client, id⟩ stands for the pool; or, where it leaves, for none."""

    client: int
    id: int
    pool: Pool
    leaves: bool = False


class Store(NamedTuple, Generic[P]):
    """Pages by slot, changed by effects; pools by name and by UUID, changed by namings.

    `users` counts the names that stand for a pool, by its number; numbers from `made` on are unused.
    """

    pages: Mapping[int, P]
    names: Mapping[int, Pool]
    users: Mapping[int, int]
    uuids: Mapping[int, Pool]
    made: int = 0
    effects: tuple[Effect[P], ...] = ()
    namings: tuple[Naming, ...] = ()


def name_key(client: int, id: int) -> int:
    """⟨client, pool id⟩ as one integer."""
    return client * (1 << 32) + id


def may_hold(store: Store[P], slot: Slot) -> tuple[P | None, ...]:
    """Everything the slot may hold; the empty tuple where its effects cannot have happened."""
    holds: tuple[P | None, ...] = (store.pages.get(slot.key()),)
    for effect in store.effects:
        if effect.covers(slot):
            holds = tuple(now for held in holds for now in after(slot.pool.kind, held, effect.event))
    return holds


def stands_for(store: Store[P], client: int, id: int) -> Pool | None:
    """The pool that ⟨client, id⟩ stands for; None where its operations answer ENODEV."""
    for naming in reversed(store.namings):
        if naming.client == client and naming.id == id:
            return None if naming.leaves else naming.pool
    return store.names.get(name_key(client, id))


def named(store: Store[P], client: int, handle: Handle) -> Slot | None:
    """The slot that a client's handle names now."""
    pool = stands_for(store, client, handle.pool)
    return None if pool is None else Slot(pool, handle.oid, handle.index)


def users(store: Store[P], pool: Pool) -> int:
    """How many names stand for the pool; its pages are gone when the last of them leaves."""
    changes = (-1 if n.leaves else 1 for n in store.namings if n.pool.number == pool.number)
    return store.users.get(pool.number, 0) + sum(changes)


def last_by(store: Store[P], uuid: int) -> Pool | None:
    """The pool that was last made or joined by this UUID; it may have ended since."""
    return next((n.pool for n in reversed(store.namings) if n.pool.uuid == uuid), store.uuids.get(uuid))


def shared_by(store: Store[P], uuid: int) -> Pool | None:
    """The pool that whoever joins this UUID shares; None where nobody is in it."""
    last = last_by(store, uuid)
    return last if last is not None and users(store, last) > 0 else None


def operate(
    store: Store[P], client: int, id: int, event: Event[P], oid: int, index: int | None = None
) -> Store[P]:
    """What an operation on a page, or (no index) on an object, does; without a pool it does nothing."""
    pool = stands_for(store, client, id)
    return store if pool is None else give(store, Effect(event, pool, oid, index))


def give(store: Store[P], effect: Effect[P]) -> Store[P]:
    """The store after the effect."""
    return store._replace(effects=(*store.effects, effect))


def new_pool(store: Store[P], client: int, id: int, kind: Kind, uuid: int | None = None) -> Store[P] | None:
    """A pool is granted under this id: joined, by the UUID, or made; None where the id is taken.

    >>> one = new_pool(Store({}, {}, {}, {}), 1, 0, Kind(shared=True), uuid=99)
    >>> two = new_pool(one, 2, 5, Kind(shared=True), uuid=99)
    >>> put = operate(two, 1, 0, Event(Does.STORED, "page"), oid=7, index=3)
    >>> may_hold(put, named(put, 2, Handle(5, 7, 3)))              # what one put, the other sees
    ('page',)
    >>> left = destroy_pool(put, 1, 0)
    >>> named(left, 1, Handle(0, 7, 3)), may_hold(left, named(left, 2, Handle(5, 7, 3)))
    (None, ('page',))
    """
    if stands_for(store, client, id) is not None:
        return None
    if kind.shared and uuid is not None and (joined := shared_by(store, uuid)) is not None:
        return store._replace(namings=(*store.namings, Naming(client, id, joined)))
    made = Pool(store.made, kind, uuid if kind.shared else None)
    return store._replace(made=store.made + 1, namings=(*store.namings, Naming(client, id, made)))


def destroy_pool(store: Store[P], client: int, id: int) -> Store[P]:
    """The name ends, for this client; with the last name of a pool its pages end."""
    pool = stands_for(store, client, id)
    if pool is None:
        return store
    left = store._replace(namings=(*store.namings, Naming(client, id, pool, leaves=True)))
    return left if users(left, pool) > 0 else give(left, Effect(Event(Does.ENDED), pool))
