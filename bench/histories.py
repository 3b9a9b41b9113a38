"""Random histories: small ones of every kind for comparison with the definition, large ones for speed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tmem.spec.abi.flags import PERSIST, SHARED, kind_of
from tmem.spec.handle import Handle
from tmem.spec.history import Call
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Raised,
)
from tmem.spec.slot import Kind

ENODEV, ENOMEM, EFROZEN, EEMPTY = (Raised("OSError", number) for number in (19, 12, 1000, 1001))
STRANGE = (Raised("KeyError"), Raised("OSError", 5))
"""Answers that nobody declares: nothing is known of what the call did."""


class Store:
    """A store that takes each choice of the contract at random."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.pools: dict[tuple[int, int], tuple[object, Kind]] = {}
        self.pages: dict[tuple[object, int, int], bytes] = {}

    def perform(self, operation: Operation) -> Answer:
        """The answer of an operation that happens now."""
        match operation:
            case NewPool(client, flags, uuid):
                taken = {pool for owner, pool in self.pools if owner == client}
                pool = next(n for n in range(len(taken) + 1) if n not in taken)
                kind = kind_of(flags, uuid)
                self.pools[client, pool] = ("shared", uuid) if kind.shared else (client, pool), kind
                return pool
            case DestroyPool(client, pool):
                return self.destroy((client, pool))
            case FlushObject(client, pool, oid):
                if (client, pool) not in self.pools:
                    return self.draw.choice((False, ENODEV))
                place, _ = self.pools[client, pool]
                for slot in [slot for slot in self.pages if slot[:2] == (place, oid)]:
                    del self.pages[slot]
                return self.draw.choice((True, False, EFROZEN))
            case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
                if (client, handle.pool) not in self.pools:
                    return (
                        ENODEV if self.draw.random() < 0.5 else None if isinstance(operation, Get) else False
                    )
                return self.page(operation, *self.pools[client, handle.pool])
        raise TypeError(operation)

    def destroy(self, name: tuple[int, int]) -> Answer:
        """The pool ends for this client."""
        if name not in self.pools:
            return self.draw.choice((False, ENODEV))
        place, _ = self.pools.pop(name)
        if all(place != other for other, _ in self.pools.values()):
            self.pages = {slot: page for slot, page in self.pages.items() if slot[0] != place}
        return True

    def page(self, operation: Put | Get | FlushPage, place: object, kind: Kind) -> Answer:
        """The answer of an operation on a page of a live pool."""
        slot = (place, operation.handle.oid, operation.handle.index)
        if not kind.persistent and self.draw.random() < 0.1:
            self.pages.pop(slot, None)
        match operation:
            case Put(page=page):
                if self.draw.random() < 0.8:
                    self.pages[slot] = page
                    return True
                self.pages.pop(slot, None)
                return self.draw.choice((False, ENOMEM))
            case Get():
                found = self.pages.pop(slot, None) if kind.exclusive else self.pages.get(slot)
                return self.draw.choice((None, EEMPTY)) if found is None else found
            case FlushPage():
                return self.pages.pop(slot, None) is not None


def small(draw: random.Random, most: int = 7) -> list[Call]:
    """A history of up to `most` calls after its new pools; about half of them have an answer changed.

    Times are small integers, so that some are equal; some calls never return.
    """
    setup = [NewPool(1, *draw.choice(GRANTS)) for _ in range(draw.choice((1, 1, 2)))]
    if draw.random() < 0.3:
        setup.append(NewPool(2, *draw.choice(GRANTS)))
    shape = Shape(draw, shared_kind=draw.choice((0, PERSIST)))
    store = Store(draw)
    calls: list[Call] = []
    now = 0
    for new in setup:
        new = shape.granted(new)
        late = draw.random() < 0.2
        calls.append(Call(new, store.perform(new), now, now + (draw.randrange(6) if late else 0)))
        now += 0 if late else 1
    for _ in range(draw.randint(2, most)):
        now += draw.choice((0, 1, 1, 2, 4))
        operation = shape.operation()
        answer = store.perform(operation)
        begin, end = now - draw.randrange(shape.width), now + draw.randrange(shape.width)
        calls.append(Call(operation, answer, begin, end))
    if draw.random() < 0.55:
        _spoil(draw, calls, shape)
    return calls


GRANTS: tuple[tuple[int, int | None], ...] = (
    (0, None), (PERSIST, None), (0, None), (PERSIST, None), (PERSIST, None), (SHARED, 5), (SHARED, 5),
)  # fmt: skip


class Shape:
    """What one small history is made of."""

    def __init__(self, draw: random.Random, shared_kind: int) -> None:
        self.draw = draw
        self.shared_kind = shared_kind
        self.width = draw.choice((1, 3, 6, 10))
        self.pools = draw.choice((0.0, 0.0, 0.15, 0.4))
        self.repeat = draw.random() < 0.2
        self.indexes = draw.choice((1, 1, 2))
        self.clients = draw.choice((1, 1, 1, 2))
        self.ids = draw.choice((1, 1, 2))
        self.serial = 0

    def granted(self, new: NewPool) -> NewPool:
        """New pool, of one kind for all who share."""
        return NewPool(new.client, new.flags | self.shared_kind, new.uuid) if new.uuid else new

    def operation(self) -> Operation:
        """One operation."""
        draw = self.draw
        client, pool = draw.randint(1, self.clients), draw.randrange(self.ids)
        if draw.random() < self.pools:
            if draw.random() < 0.5:
                return DestroyPool(client, pool)
            return self.granted(NewPool(client, *draw.choice(GRANTS)))
        handle = Handle(pool, draw.choice((7, 7, 7, 7, 8)), draw.randrange(self.indexes))
        chance = draw.random()
        if chance < 0.4:
            return Put(client, handle, self.page())
        if chance < 0.8:
            return Get(client, handle)
        return FlushPage(client, handle) if chance < 0.9 else FlushObject(client, pool, handle.oid)

    def page(self) -> bytes:
        """A page; in some histories pages repeat."""
        self.serial += 1
        return b"%d" % (self.draw.randrange(2) if self.repeat else self.serial)


def _spoil(draw: random.Random, calls: list[Call], shape: Shape) -> None:
    n = draw.randrange(len(calls))
    call = calls[n]
    chance = draw.random()
    if chance < 0.2:
        calls[n] = Call(call.operation, None, call.begin, None)
    elif chance < 0.3:
        calls[n] = Call(call.operation, draw.choice(STRANGE), call.begin, call.end)
    elif isinstance(call.operation, Get):
        pages = [c.operation.page for c in calls if isinstance(c.operation, Put)] or [b"never"]
        answer = draw.choice(pages) if call.answer is None or draw.random() < 0.5 else None
        calls[n] = Call(call.operation, answer, call.begin, call.end)
    elif isinstance(call.operation, Put) and chance < 0.6:
        calls[n] = Call(call.operation, not call.answer, call.begin, call.end)
    elif isinstance(call.operation, NewPool) and chance < 0.6:
        calls[n] = Call(call.operation, draw.randrange(2), call.begin, call.end)
    else:
        calls[n] = Call(call.operation, call.answer, call.begin + draw.randint(-9, 9), None)
        begin = calls[n].begin
        calls[n] = Call(call.operation, call.answer, begin, begin + draw.randrange(shape.width))


def many(count: int, seed: int) -> Iterator[list[Call]]:
    """Small histories, the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        yield small(draw)
