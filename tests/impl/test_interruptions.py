"""An exception between any two instructions of an operation, as Ctrl-C raises it, leaves the store right."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import tmem.impl
from tests.impl.audit import audit
from tmem.impl import Store
from tmem.impl import order as order_module
from tmem.impl.pam.plain import Plain
from tmem.spec.abi.flags import PERSIST, SHARED

SOURCE = str(Path(tmem.impl.__file__).parent)
OLD, NEW, OTHER = (bytes([tag]) * 600 for tag in b"ono")
SIZE = len(OLD)
UUID = 5
KINDS = (0, PERSIST, SHARED, PERSIST | SHARED)
POOL, BESIDE = 0, 1
"""Pool ids of client 1: a pool of any kind, and a private ephemeral one."""
SLOTS = [(pool, oid, index) for pool in (POOL, BESIDE) for oid in (7, 8) for index in (3, 4)]


class Interrupt(BaseException):
    """What is raised in the midst of an operation."""


class Interrupted:
    """Runs a call, and raises at the `at`-th instruction of the store's own code; `done` if it has fewer."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.done = False

    def run(self, call: Callable[[], object]) -> object:
        sys.settrace(self._trace)
        try:
            answer = call()
        except Interrupt:
            return None
        finally:
            sys.settrace(None)
        self.done = True
        return answer

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(SOURCE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event in ("call", "opcode"):
            if not self.left:
                sys.settrace(None)
                raise Interrupt
            self.left -= 1
        return self._trace


class Watched(Plain):
    """A PAM that notices if a page is freed twice."""

    def __init__(self, codec: Any) -> None:
        super().__init__(codec)
        self.freed: set[int] = set()
        self.kept: list[bytes] = []

    def free(self, pampd: bytes) -> None:
        assert id(pampd) not in self.freed, "a page was freed twice"
        self.freed.add(id(pampd))
        self.kept.append(pampd)  # so that its id does not come back


def filled(flags: int) -> Store:
    """Make a store with pages in all slots but one of each pool, and with stale entries."""
    store = Store(1 << 20, page_size=SIZE, pam=Watched)
    store.new_pool(1, flags, UUID)
    store.new_pool(1)
    if flags & SHARED:
        store.new_pool(2, flags, UUID)
    for slot in SLOTS:
        store.put(1, *slot, OLD)
    for pool in (POOL, BESIDE):
        store.put(1, pool, 8, 4, OTHER)
        store.flush_page(1, pool, 8, 4)
    return store


def many(store: Store, pool: int) -> list[bool]:
    return store.put_many(1, pool, [(7, 3), (8, 4), (9, 5)], [NEW] * 3)


ANY_POOL: dict[str, Callable[[Store, int], object]] = {
    "put over a page": lambda store, pool: store.put(1, pool, 7, 3, NEW),
    "put into an object": lambda store, pool: store.put(1, pool, 8, 4, NEW),
    "put the first page": lambda store, pool: store.put(1, pool, 9, 3, NEW),
    "get": lambda store, pool: store.get(1, pool, 7, 3),
    "get the last page": lambda store, pool: store.get(1, pool, 8, 3),
    "flush page": lambda store, pool: store.flush_page(1, pool, 7, 3),
    "flush the last page": lambda store, pool: store.flush_page(1, pool, 8, 3),
    "flush object": lambda store, pool: store.flush_object(1, pool, 7),
    "destroy pool": lambda store, pool: store.destroy_pool(1, pool),
    "put many": many,
    "get many": lambda store, pool: store.get_many(1, pool, [(7, 3), (7, 4), (8, 3)]),
}
OF_THE_STORE: dict[str, Callable[[Store], object]] = {
    "new pool": lambda store: store.new_pool(1),
    "new shared pool": lambda store: store.new_pool(1, SHARED, 99),
    "join": lambda store: store.new_pool(3, SHARED, UUID),
    "reclaim": lambda store: store.reclaim(3),
    "counters": lambda store: store.counters(),
    "collect": lambda store: store._registry.collect(),
    "leave": lambda store: store.destroy_pool(2, 0),
}
TOUCHED = {
    "put over a page": {(7, 3)},
    "put into an object": {(8, 4)},
    "put the first page": {(9, 3)},
    "get": {(7, 3)},
    "get the last page": {(8, 3)},
    "flush page": {(7, 3)},
    "flush the last page": {(8, 3)},
    "flush object": {(7, 3), (7, 4)},
    "put many": {(7, 3), (8, 4), (9, 5)},
    "get many": {(7, 3), (7, 4), (8, 3)},
}


def holds(store: Store, pool: int, oid: int, index: int) -> bytes | None:
    owner = store._tables[1][pool]
    pampd = owner.peek(oid, index)
    return None if pampd is None else store._pam.get_data(pampd)


def usable(store: Store) -> None:
    """Every operation works, the accounts are right, and all the room comes back."""
    audit(store)
    for pool in list(store._tables[1]):
        assert store.put(1, pool, 7, 3, OTHER)
        assert store.get(1, pool, 7, 3) == OTHER
        assert store.put(1, pool, 10, 3, OTHER)
        assert store.flush_object(1, pool, 10)
    store.reclaim(2)
    audit(store)
    store.close()
    assert (store.counters().bytes, store.counters().pages) == (0, 0)
    assert store._room.used == 0


@pytest.fixture(autouse=True)
def _sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_module, "SLACK", -100)
    monkeypatch.setattr(order_module, "SWEEP", 1)


@pytest.mark.parametrize(
    "flags", [pytest.param(flags, marks=[pytest.mark.long] * (flags in (PERSIST, SHARED))) for flags in KINDS]
)
@pytest.mark.parametrize("operation", ANY_POOL)
def test_an_operation_may_be_interrupted_anywhere(operation: str, flags: int) -> None:
    at = 0
    while True:
        store = filled(flags)
        interrupted = Interrupted(at)
        interrupted.run(partial(ANY_POOL[operation], store, POOL))
        audit(store)
        for slot in SLOTS if operation != "destroy pool" else SLOTS[4:]:
            page, before = holds(store, *slot), None if slot[1:] == (8, 4) else OLD
            if slot[0] == POOL and slot[1:] in TOUCHED[operation]:
                assert page in (before, None, NEW)
            else:
                assert page == before, (at, slot)
        usable(store)
        if interrupted.done:
            break
        at += 1
    assert at > 20


@pytest.mark.parametrize("operation", OF_THE_STORE)
def test_an_operation_on_the_store_may_be_interrupted_anywhere(operation: str) -> None:
    at = 0
    while True:
        store = filled(PERSIST if operation == "collect" else SHARED)
        interrupted = Interrupted(at)
        interrupted.run(partial(OF_THE_STORE[operation], store))
        audit(store)
        for slot in SLOTS:
            if slot[1:] != (8, 4) and operation != "reclaim":
                assert holds(store, *slot) == OLD
        usable(store)
        if interrupted.done:
            break
        at += 1
    assert at > 20


def test_a_put_that_makes_room_may_be_interrupted_anywhere() -> None:
    at = 0
    while True:
        store = filled(PERSIST)
        store._room.budget = store._room.mark = store._room.used
        interrupted = Interrupted(at)
        interrupted.run(partial(store.put, 1, POOL, 9, 3, NEW))
        audit(store)
        store._room.budget = store._room.mark = 1 << 40
        usable(store)
        if interrupted.done:
            break
        at += 1
    assert at > 200


@pytest.mark.long
def test_closing_may_be_interrupted_anywhere() -> None:
    at = 0
    while True:
        store = filled(SHARED)
        interrupted = Interrupted(at)
        interrupted.run(store.close)
        audit(store)
        store.close()
        assert store.counters().bytes == 0
        if interrupted.done:
            break
        at += 1
    assert at > 200
