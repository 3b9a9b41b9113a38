"""The nondeterministic transition relation of a small world, made finite from `tmem.spec.store`.

A world is a store that nothing was done to yet: which pool each name stands for, and what each slot of
each pool holds. An operation and what it did lead from a world to every world that the store allows;
between any two operations any ephemeral page may vanish. What an answer means is said in `rules`: nothing
of `tmem.model` is used here, and of `tmem.spec` only the slot, the store and the types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

from proofs.small_world.rules import Step, kind
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim
from tmem.spec.slot import Event, Kind, vanished
from tmem.spec.store import (
    Pool,
    Slot,
    Store,
    destroy_pool,
    may_hold,
    name_key,
    new_pool,
    operate,
    stands_for,
    users,
)


class Setting(NamedTuple):
    """What there is in a small world: ⟨client, pool id⟩s, ⟨object id, index⟩es, pages, requests for pools."""

    names: tuple[tuple[int, int], ...]
    places: tuple[tuple[int, int], ...]
    pages: tuple[bytes, ...]
    requests: tuple[tuple[int, int | None], ...]
    """Flags and UUID."""

    @property
    def page_size(self) -> int:
        """Bytes in a page."""
        return len(self.pages[0])


class Living(NamedTuple):
    """A pool that some name stands for, and what it holds at each place."""

    kind: Kind
    uuid: int | None
    holds: tuple[bytes | None, ...]


class Name(NamedTuple):
    """What a name stands for: a pool by its position, and what was asked for, until that no longer counts."""

    pool: int
    asked: Kind | None
    uuid: int | None


class World(NamedTuple):
    """What each name of the setting stands for, if for anything, and the pools."""

    stands: tuple[Name | None, ...]
    pools: tuple[Living, ...]


def empty(setting: Setting) -> World:
    """The world in which no pool was made."""
    return World((None,) * len(setting.names), ())


def as_store(setting: Setting, world: World) -> Store[bytes]:
    """The store that the world is."""
    pools = [Pool(number, living.kind, living.uuid) for number, living in enumerate(world.pools)]
    standing = [
        (name, pools[n.pool]) for name, n in zip(setting.names, world.stands, strict=True) if n is not None
    ]
    return Store(
        {
            Slot(pool, *place).key(): page
            for pool, living in zip(pools, world.pools, strict=True)
            for place, page in zip(setting.places, living.holds, strict=True)
            if page is not None
        },
        {name_key(*name): pool for name, pool in standing},
        Counter(pool.number for _, pool in standing),
        {pool.uuid: pool for pool in pools if pool.uuid is not None},
        len(pools),
    )


def worlds(setting: Setting, store: Store[bytes], asked: tuple[Name | None, ...]) -> Iterator[World]:
    """Every world that the store may be, its pools numbered in the order of their first names."""
    named = [stands_for(store, *name) for name in setting.names]
    pools = list(dict.fromkeys(pool for pool in named if pool is not None))
    for pool in pools:
        if users(store, pool) != named.count(pool):
            raise AssertionError(f"{pool} counts {users(store, pool)} users, not {named.count(pool)}")
    stands = tuple(
        None if pool is None or was is None else was._replace(pool=pools.index(pool))
        for pool, was in zip(named, asked, strict=True)
    )
    slots = [[Slot(pool, *place) for place in setting.places] for pool in pools]
    for holds in product(*(product(*map(partial(may_hold, store), of_pool)) for of_pool in slots)):
        living = (Living(pool.kind, pool.uuid, pages) for pool, pages in zip(pools, holds, strict=True))
        yield World(stands, tuple(living))


def vanishings(world: World) -> Iterator[World]:
    """The world, and what it may become while nobody looks: ephemeral pages go, one or many."""
    left = [
        product(*({page, vanished(living.kind, page)} for page in living.holds)) for living in world.pools
    ]
    for holds in product(*left):
        changed = (living._replace(holds=pages) for living, pages in zip(world.pools, holds, strict=True))
        yield World(world.stands, tuple(changed))


def after(setting: Setting, world: World, step: Step) -> Iterator[World]:
    """Every world that the step may lead to; none where it cannot happen."""
    operation, did, dead = step
    place: tuple[int, ...] = ()
    match operation:
        case NewPool(client, flags, uuid):
            return iter((world,)) if did == "" else _granted(setting, world, client, did, flags, uuid)
        case Reclaim():
            return iter((world,))
        case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
            name, place = (client, handle.pool), handle.slot
        case FlushObject(client, pool, oid):
            name, place = (client, pool), (oid,)
        case DestroyPool(client, pool) | PoolFlags(client, pool):
            name = (client, pool)
    at = setting.names.index(name)
    member = world.stands[at]
    if member is None:
        return iter((world,) if dead else ())
    if did is None:
        return iter(())
    if did == "":
        return iter((world,))
    if isinstance(did, str):
        return _told(setting, world, at, member, int(did))
    store = as_store(setting, world)
    if isinstance(operation, DestroyPool):
        return worlds(setting, destroy_pool(store, *name), world.stands)
    if member.asked not in (None, world.pools[member.pool].kind):
        return iter(())  # joined as another kind, which pool flags have not reported
    assert isinstance(did, Event)
    then = operate(store, *name, did, place[0], *place[1:])
    return worlds(setting, then, _with(world, at, member._replace(asked=None)))


def _granted(
    setting: Setting, world: World, client: int, did: object, flags: int, uuid: int | None
) -> Iterator[World]:
    if not isinstance(did, int) or (client, did) not in setting.names:
        return iter(())
    asked = kind(flags, uuid)
    granted = new_pool(as_store(setting, world), client, did, asked, uuid)
    if granted is None:
        return iter(())
    at = setting.names.index((client, did))
    return worlds(setting, granted, _with(world, at, Name(-1, asked, uuid)))


def _told(setting: Setting, world: World, at: int, member: Name, flags: int) -> Iterator[World]:
    # The kind of the pool; or, before anything else was done, that it is a private one of its own.
    granted = kind(flags, member.uuid)
    store = as_store(setting, world)
    known = _with(world, at, member._replace(asked=None))
    if granted == world.pools[member.pool].kind:
        return worlds(setting, store, known)
    if member.asked is None or granted.shared or granted.persistent != member.asked.persistent:
        return iter(())
    left = destroy_pool(store, *setting.names[at])
    alone = new_pool(left, *setting.names[at], granted)
    assert alone is not None
    return worlds(setting, alone, known)


def _with(world: World, at: int, name: Name) -> tuple[Name | None, ...]:
    return (*world.stands[:at], name, *world.stands[at + 1 :])
