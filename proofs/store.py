"""Theorems of the store as a product of slots, from an arbitrary state: `pages` is any map at all.

Where a theorem speaks of one operation and one slot that are both arbitrary, it speaks of all slots.
"""

from __future__ import annotations

from proofs.theorem import theorem
from tmem.spec.clauses.flushes import object_flushed
from tmem.spec.clauses.handles import independent, same_slot
from tmem.spec.handle import INDEX_BITS, OBJECT_BITS, Handle, words
from tmem.spec.slot import Does, Event, after, untouched, vanished
from tmem.spec.store import Effect, Pool, Slot, Store, give, may_hold


def pages_only(pages: dict[int, int]) -> Store[int]:
    """A store of these pages, in which no pool has a name."""
    return Store(pages, {}, {}, {})


def in_range(slot: Slot) -> bool:
    """Whether the slot is one that a handle can name."""
    return slot.pool.number >= 0 and 0 <= slot.oid < 1 << OBJECT_BITS and 0 <= slot.index < 1 << INDEX_BITS


@theorem("TMEM-HANDLE-2")
def every_bit_of_a_handle_counts(pool: Pool, a_oid: int, a_index: int, b_oid: int, b_index: int) -> bool:
    """Two handles that differ in any bit of the object id or the index name different slots."""
    a, b = Slot(pool, a_oid, a_index), Slot(pool, b_oid, b_index)
    if not in_range(a) or not in_range(b):
        return False
    same = same_slot(Handle(0, a_oid, a_index), Handle(0, b_oid, b_index))
    assert (a.key() == b.key()) == same
    assert Effect(Event(Does.NOTHING), pool, a_oid, a_index).covers(b) == same
    return a_oid != b_oid and a_index == b_index


@theorem("TMEM-HANDLE-2")
def every_word_of_an_object_id_counts(a: int, b: int) -> bool:
    """Two object ids that differ, differ in one of their three words."""
    if not 0 <= a < 1 << OBJECT_BITS or not 0 <= b < 1 << OBJECT_BITS:
        return False
    assert (words(a) == words(b)) == (a == b)
    return words(a)[:2] == words(b)[:2] and a != b


@theorem("TMEM-HANDLE-2", "TMEM-POOL-1")
def slots_of_different_pools_are_different(a: Slot, b: Slot) -> bool:
    """No slot of one pool is a slot of another, whatever the handles."""
    if not in_range(a) or not in_range(b) or a.pool.number == b.pool.number:
        return False
    assert a.key() != b.key()
    assert not Effect(Event(Does.NOTHING), a.pool).covers(b)
    return a.oid == b.oid and a.index == b.index


@theorem("TMEM-HANDLE-1")
def an_operation_changes_no_other_slot(
    pages: dict[int, int], pool: Pool, oid: int, index: int, event: Event[int], other: Slot
) -> bool:
    """Frame: what any event does to one slot, every other slot holds what it held."""
    if (pool.number, oid, index) == (other.pool.number, other.oid, other.index):
        return False
    store = pages_only(pages)
    (before,) = may_hold(store, other)
    assert may_hold(give(store, Effect(event, pool, oid, index)), other) == (before,)
    return before is not None and pool.number == other.pool.number and oid == other.oid


@theorem("TMEM-HANDLE-1")
def another_slot_is_any_that_differs_in_a_bit(
    touched: Slot, other: Slot, before: int | None, now: int | None, shown: int | None
) -> bool:
    """Of slots that differ in pool, object id or index, the one goes on where the other is touched."""
    if not in_range(touched) or not in_range(other):
        return False
    said = independent(touched, other, before, now, shown)
    if (touched.pool.number, touched.oid, touched.index) == (other.pool.number, other.oid, other.index):
        assert said
        return False
    assert said == (shown is None and untouched(other.pool.kind, before, now))
    return said and before is not None and touched.oid == other.oid


@theorem("TMEM-HANDLE-1")
def an_operation_does_to_its_slot_what_the_slot_says(
    pages: dict[int, int], slot: Slot, event: Event[int]
) -> bool:
    """Product: what an operation does in a store is what `slot.after` says of its slot."""
    store = pages_only(pages)
    (before,) = may_hold(store, slot)
    steps = may_hold(give(store, Effect(event, slot.pool, slot.oid, slot.index)), slot)
    assert steps == after(slot.pool.kind, before, event)
    return event.does is Does.HIT and len(steps) > 0


@theorem("TMEM-HANDLE-1", "TMEM-PUT-3")
def operations_follow_one_another(
    pages: dict[int, int], slot: Slot, first: Event[int], page: int, hit: bool
) -> bool:
    """A put or get leads from where the operation before it led, whichever that was."""
    pool, oid, index = slot.pool, slot.oid, slot.index
    second = Event(Does.HIT if hit else Does.STORED, page)
    one = give(pages_only(pages), Effect(first, pool, oid, index))
    two = give(one, Effect(second, pool, oid, index))
    expected: list[int | None] = []
    for held in may_hold(one, slot):
        steps = after(pool.kind, held, second)
        expected.extend(steps)
    reached = may_hold(two, slot)
    assert list(reached) == expected
    return first.does is Does.STORED and hit and len(expected) > 0


@theorem("TMEM-FLUSH-2", "TMEM-HANDLE-1")
def flush_object_empties_the_object_and_nothing_else(
    pages: dict[int, int], pool: Pool, oid: int, slot: Slot
) -> bool:
    """Pointwise: after flush object a slot holds nothing if it is of the object, else what it held."""
    store = pages_only(pages)
    (before,) = may_hold(store, slot)
    (now,) = may_hold(give(store, Effect(Event(Does.FLUSHED), pool, oid)), slot)
    covered = pool.number == slot.pool.number and oid == slot.oid
    assert now == (None if covered else before)
    assert object_flushed(Event(Does.FLUSHED), pool, oid, slot, before, now)
    return before is not None and covered


@theorem("TMEM-POOL-3", "TMEM-HANDLE-1")
def the_end_of_a_pool_empties_it_and_nothing_else(pages: dict[int, int], pool: Pool, slot: Slot) -> bool:
    """Pointwise: after the end of a pool a slot holds nothing if it is of the pool, else what it held."""
    store = pages_only(pages)
    (before,) = may_hold(store, slot)
    ended = may_hold(give(store, Effect(Event(Does.ENDED), pool)), slot)
    assert ended == ((None,) if pool.number == slot.pool.number else (before,))
    return before is not None and pool.number == slot.pool.number


@theorem("TMEM-RECLAIM-1", "TMEM-RECLAIM-2")
def reclaim_takes_only_ephemeral_pages(
    pages: dict[int, int], struck: Pool, oid: int | None, index: int | None, slot: Slot
) -> bool:
    """Whatever the reclaimer strikes, slot, object or pool, persistent pages and other slots keep theirs."""
    store = pages_only(pages)
    (before,) = may_hold(store, slot)
    strike: Effect[int] = Effect(Event(Does.RECLAIMED), struck, oid, index)
    (now,) = may_hold(give(store, strike), slot)
    covered = strike.covers(slot)
    assert now == (vanished(slot.pool.kind, before) if covered else before)
    if slot.pool.kind.persistent or not covered:
        assert now == before
    return before is not None and covered and slot.pool.kind.persistent
