"""Random operations against a dict that forgets nothing, and an audit of the whole store after each."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha512

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.impl.audit import audit
from tmem.impl import Store
from tmem.impl.order import Order
from tmem.impl.pool import Pool
from tmem.impl.room import POOL, Room
from tmem.spec.abi.flags import PERSIST, SHARED

KINDS = [(0, None), (PERSIST, None), (SHARED, 5), (PERSIST | SHARED, 6)]
PAGE_SIZE = 64
Slot = tuple[int, int, int]


class Oracle:
    """What each slot of a pool may hold: the last page put there, and nothing besides."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.pools = [store.new_pool(client, *kind) for client, kind in enumerate(KINDS)]
        self.joined = [store.new_pool(8, *kind) for kind in KINDS]
        self.pages: dict[Slot, bytes] = {}
        self.puts = 0

    def name(self, pool: int, other: int) -> tuple[int, int]:
        """⟨client, id⟩: shared pools go by two names."""
        return (8, self.joined[pool]) if other and pool >= 2 else (pool, self.pools[pool])

    def put(self, pool: int, other: int, oid: int, index: int) -> None:
        self.puts += 1
        page = sha512(b"%d" % self.puts).digest()  # lz4 cannot shrink it
        if self.puts % 2:
            page = page[:4] * (PAGE_SIZE // 4)
        self.pages.pop((pool, oid, index), None)
        if self.store.put(*self.name(pool, other), oid, index, page):
            self.pages[pool, oid, index] = page
        else:
            self.get(pool, other, oid, index)

    def get(self, pool: int, other: int, oid: int, index: int) -> None:
        page = self.store.get(*self.name(pool, other), oid, index)
        held = self.pages.get((pool, oid, index))
        assert page == held or (page is None and pool in (0, 2)), f"{page!r} in the place of {held!r}"
        if page is None or pool == 0:
            self.pages.pop((pool, oid, index), None)

    def flush_page(self, pool: int, other: int, oid: int, index: int) -> None:
        self.store.flush_page(*self.name(pool, other), oid, index)
        self.pages.pop((pool, oid, index), None)

    def flush_object(self, pool: int, other: int, oid: int, index: int) -> None:
        self.store.flush_object(*self.name(pool, other), oid)
        self.pages = {slot: page for slot, page in self.pages.items() if slot[:2] != (pool, oid)}

    def reclaim(self, pool: int, other: int, oid: int, index: int) -> None:
        before = self.store.counters()
        gone = self.store.reclaim(index + 1)
        after = self.store.counters()
        assert gone == before.pages - after.pages == after.pages_reclaimed - before.pages_reclaimed
        assert gone == min(index + 1, self.store._room.order.pages + gone)

    def destroy(self, pool: int, other: int, oid: int, index: int) -> None:
        """Both names, so that the pool ends; then it is made again, and is empty."""
        self.store.destroy_pool(pool, self.pools[pool])
        self.store.destroy_pool(8, self.joined[pool])
        self.pools[pool] = self.store.new_pool(pool, *KINDS[pool])
        self.joined[pool] = self.store.new_pool(8, *KINDS[pool])
        self.pages = {slot: page for slot, page in self.pages.items() if slot[0] != pool}


STEPS = ["put"] * 5 + ["get"] * 3 + ["flush_page", "flush_object", "reclaim", "destroy"]


def steps(program: bytes) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Two bytes a step: what, and where."""
    for what, where in zip(program[::2], program[1::2], strict=False):
        yield STEPS[what % len(STEPS)], (where & 3, where >> 2 & 1, where >> 3 & 1, where >> 4 & 1)


def run(program: bytes, budget: int | None, advance: int) -> None:
    store = Store(budget, page_size=PAGE_SIZE, advance=advance)
    oracle = Oracle(store)
    for what, where in steps(program):
        getattr(oracle, what)(*where)
        audit(store)
    store.close()
    audit(store)
    assert store.counters().bytes == 0


ADVANCES = st.sampled_from([0, 300])
"""Bytes that persistent pools take in advance: none, and more than a page takes."""
BUDGETS = st.none() | st.integers(8 * POOL + 600, 8 * POOL + 2_500)
PROGRAMS = st.binary(min_size=40, max_size=200)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAMS, BUDGETS, ADVANCES)
def test_the_store_agrees_with_a_dict(program, budget, advance):
    run(program, budget, advance)


def keep_the_old_page(patch):
    patch.setattr(Pool, "fail", lambda self, oid, index: None)


def forget_that_an_entry_is_stale(patch):
    def remove(self, obj, index):
        self.pages -= 1

    patch.setattr(Order, "remove", remove)


def leak_what_is_given_back(patch):
    patch.setattr(Room, "give_back", lambda self, pool, cost: None)


def keep_what_was_taken_in_advance(patch):
    patch.setattr(Pool, "give_room", lambda self, spare: None)


def take_too_little_in_advance(patch):
    patch.setattr(Pool, "_take_room", lambda self, cost: 0)


def reclaim_persistent_pages(patch):
    init = Pool.__init__

    def lie(self, *arguments, **named):
        init(self, *arguments, **named)
        self.persistent = False

    patch.setattr(Pool, "__init__", lie)


def keep_what_an_exclusive_hit_takes(patch):
    init = Pool.__init__

    def lie(self, *arguments, **named):
        init(self, *arguments, **named)
        self.exclusive = False

    patch.setattr(Pool, "__init__", lie)


def leave_an_empty_object(patch):
    patch.setattr(Pool, "_drop", lambda self, obj: 0)


def flush_no_object(patch):
    patch.setattr(Pool, "detach", lambda self, oid: {})


@pytest.mark.parametrize(
    "fault",
    [
        keep_the_old_page,
        forget_that_an_entry_is_stale,
        leak_what_is_given_back,
        keep_what_was_taken_in_advance,
        take_too_little_in_advance,
        reclaim_persistent_pages,
        keep_what_an_exclusive_hit_takes,
        leave_an_empty_object,
        flush_no_object,
    ],
)
def test_a_broken_store_does_not(monkeypatch, fault):
    @settings(max_examples=500, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              report_multiple_bugs=False)  # fmt: skip
    @given(PROGRAMS, BUDGETS, ADVANCES)
    def check(program, budget, advance):
        run(program, budget, advance)

    fault(monkeypatch)
    with pytest.raises((AssertionError, KeyError, OSError)):
        check()
