"""The store of the specification as one runs it: a product of slots under names."""

from __future__ import annotations

import pytest

from tmem.spec import Does, Event, Handle, Kind
from tmem.spec.store import (
    Effect,
    Slot,
    Store,
    destroy_pool,
    give,
    may_hold,
    named,
    new_pool,
    operate,
    shared_by,
    stands_for,
    users,
)

EMPTY: Store[str] = Store({}, {}, {}, {})
CACHE, SWAP = Kind(), Kind(persistent=True)


def made(*pools: tuple[int, int, Kind, int | None]) -> Store[str]:
    store = EMPTY
    for client, id, kind, uuid in pools:
        granted = new_pool(store, client, id, kind, uuid)
        assert granted is not None
        store = granted
    return store


def put(store: Store[str], client: int, handle: Handle, page: str) -> Store[str]:
    return operate(store, client, handle.pool, Event(Does.STORED, page), handle.oid, handle.index)


def held(store: Store[str], client: int, handle: Handle) -> tuple[str | None, ...]:
    slot = named(store, client, handle)
    assert slot is not None
    return may_hold(store, slot)


def test_flush_object_covers_every_index_and_no_other_object() -> None:
    store = made((1, 0, SWAP, None))
    handles = [Handle(0, 7, 0), Handle(0, 7, 2**32 - 1), Handle(0, 7 + 2**128, 0)]
    for number, handle in enumerate(handles):
        store = put(store, 1, handle, f"page {number}")
    flushed = operate(store, 1, 0, Event(Does.FLUSHED), 7)
    assert [held(flushed, 1, handle) for handle in handles] == [(None,), (None,), ("page 2",)]


def test_equal_ids_of_two_clients_are_two_pools() -> None:
    store = put(made((1, 0, SWAP, None), (2, 0, SWAP, None)), 1, Handle(0, 7, 3), "page")
    assert held(store, 2, Handle(0, 7, 3)) == (None,)
    assert held(destroy_pool(store, 2, 0), 1, Handle(0, 7, 3)) == ("page",)


def test_a_live_id_is_not_granted_again_and_a_dead_one_names_a_new_pool() -> None:
    store = put(made((1, 0, SWAP, None)), 1, Handle(0, 7, 3), "page")
    assert new_pool(store, 1, 0, SWAP) is None
    again = new_pool(destroy_pool(store, 1, 0), 1, 0, SWAP)
    assert again is not None
    assert held(again, 1, Handle(0, 7, 3)) == (None,)
    assert stands_for(again, 1, 0) != stands_for(store, 1, 0)


def test_operations_without_a_pool_do_nothing() -> None:
    assert put(EMPTY, 1, Handle(0, 7, 3), "page") is EMPTY
    assert destroy_pool(EMPTY, 1, 0) is EMPTY
    assert named(EMPTY, 1, Handle(0, 7, 3)) is None


def test_the_pages_of_a_shared_pool_end_with_its_last_user() -> None:
    shared = Kind(persistent=True, shared=True)
    store = put(made((1, 0, shared, 9), (2, 5, shared, 9)), 1, Handle(0, 7, 3), "page")
    pool = stands_for(store, 2, 5)
    assert pool is not None
    one = destroy_pool(store, 1, 0)
    assert (users(one, pool), held(one, 2, Handle(5, 7, 3))) == (1, ("page",))
    none = destroy_pool(one, 2, 5)
    assert (users(none, pool), shared_by(none, 9), may_hold(none, Slot(pool, 7, 3))) == (0, None, (None,))


@pytest.mark.parametrize(("kind", "left"), [(CACHE, None), (SWAP, "page")])
def test_reclaim_takes_ephemeral_pages_only(kind: Kind, left: str | None) -> None:
    store = put(made((1, 0, kind, None)), 1, Handle(0, 7, 3), "page")
    pool = stands_for(store, 1, 0)
    assert pool is not None
    assert held(give(store, Effect(Event(Does.RECLAIMED), pool)), 1, Handle(0, 7, 3)) == (left,)


def test_what_cannot_happen_leaves_nothing_that_may_be_held() -> None:
    store = put(made((1, 0, SWAP, None)), 1, Handle(0, 7, 3), "page")
    assert held(operate(store, 1, 0, Event(Does.MISS), 7, 3), 1, Handle(0, 7, 3)) == ()


def test_a_hit_in_a_shared_ephemeral_pool_leaves_both_open() -> None:
    store = put(made((1, 0, Kind(shared=True), 9)), 1, Handle(0, 7, 3), "page")
    assert held(operate(store, 1, 0, Event(Does.HIT, "page"), 7, 3), 1, Handle(0, 7, 3)) == ("page", None)
