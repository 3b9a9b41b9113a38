"""The nondeterministic transition relation of a small world, made finite from `tmem.spec.store`.

A world is a store that nothing was done to yet: which pool each name stands for, and what each slot of
each pool holds. An operation and what it did lead from a world to every world that the store allows;
between any two operations any ephemeral page may vanish. Nothing of `tmem.model` is used here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple, TypeAlias, cast

from tmem.spec.abi.flags import kind_of
from tmem.spec.answers import declared, event, refused
from tmem.spec.clauses.pools import destroyed, flags_taken
from tmem.spec.handle import in_range
from tmem.spec.operations import (
    SIGNATURES,
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Reclaim,
    flat,
)
from tmem.spec.slot import Does, Event, Kind, vanished
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

Step: TypeAlias = tuple[Operation, Event[bytes] | int | None]
"""An operation and what its answer says that it did: an event, the id of a new pool, or None (refused)."""


class Setting(NamedTuple):
    """What there is in a small world: ⟨client, pool id⟩s, ⟨object id, index⟩es, pages."""

    names: tuple[tuple[int, int], ...]
    places: tuple[tuple[int, int], ...]
    pages: tuple[bytes, ...]

    @property
    def page_size(self) -> int:
        """Bytes in a page."""
        return len(self.pages[0])


class Living(NamedTuple):
    """A pool that some name stands for, and what it holds at each place."""

    kind: Kind
    uuid: int | None
    holds: tuple[bytes | None, ...]


class World(NamedTuple):
    """For each name the position of its pool among the pools, or None."""

    stands: tuple[int | None, ...]
    pools: tuple[Living, ...]


def empty(setting: Setting) -> World:
    """The world in which no pool was made."""
    return World((None,) * len(setting.names), ())


def as_store(setting: Setting, world: World) -> Store[bytes]:
    """The store that the world is."""
    pools = [Pool(number, living.kind, living.uuid) for number, living in enumerate(world.pools)]
    standing = [
        (name, pools[n]) for name, n in zip(setting.names, world.stands, strict=True) if n is not None
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


def worlds(setting: Setting, store: Store[bytes]) -> Iterator[World]:
    """Every world that the store may be, its pools numbered in the order of their first names."""
    named = [stands_for(store, *name) for name in setting.names]
    pools = list(dict.fromkeys(pool for pool in named if pool is not None))
    for pool in pools:
        if users(store, pool) != named.count(pool):
            raise AssertionError(f"{pool} counts {users(store, pool)} users, not {named.count(pool)}")
    stands = tuple(None if pool is None else pools.index(pool) for pool in named)
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


def step(setting: Setting, operation: Operation, answer: Answer) -> Step | None:
    """What the answer says that the operation did; None where no such operation answers so in any world."""
    if malformed(setting, operation):
        return (operation, None) if refused(answer) else None
    if not declared(operation, answer):
        return None
    if not isinstance(operation, NewPool):
        return operation, event(operation, answer)
    if not flags_taken(operation.flags, setting.page_size, answer):
        return None
    return operation, answer if isinstance(answer, int) else None


def malformed(setting: Setting, operation: Operation) -> bool:
    """Whether an argument is out of range (TMEM-ARG-1)."""
    method, arguments = flat(operation)
    named = dict(zip(SIGNATURES[method].arguments, arguments, strict=True))
    if isinstance(operation, Put) and len(operation.page) != setting.page_size:
        return True
    return not in_range(cast(int, named.get("oid", 0)), cast(int, named.get("index", 0)))


def after(setting: Setting, world: World, step: Step) -> Iterator[World]:
    """Every world that the step may lead to; none where it cannot happen."""
    operation, did = step
    store = as_store(setting, world)
    match operation, did:
        case _, None:
            return iter((world,))
        case NewPool(client, flags, uuid), int(pool_id):
            granted = new_pool(store, client, pool_id, kind_of(flags, uuid), uuid)
            return iter(()) if granted is None else worlds(setting, granted)
        case DestroyPool(client, pool_id), Event(does=does):
            return worlds(setting, destroy_pool(store, client, pool_id) if does is Does.ENDED else store)
        case Reclaim(), _:
            return iter((world,))
        case ((Put(client, handle) | Get(client, handle) | FlushPage(client, handle)), Event()):
            if stands_for(store, client, handle.pool) is None:
                return iter((world,) if destroyed(did) else ())
            if isinstance(operation, FlushPage) and did.does is Does.NOTHING:
                return iter(())
            return worlds(setting, operate(store, client, handle.pool, did, handle.oid, handle.index))
        case FlushObject(client, pool_id, oid), Event():
            if stands_for(store, client, pool_id) is not None and did.does is Does.NOTHING:
                return iter(())
            return worlds(setting, operate(store, client, pool_id, did, oid))
    raise TypeError(step)
