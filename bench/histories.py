"""Small random histories of every kind, legal and illegal, for comparison with the definition."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from tmem.spec.abi.flags import PERSIST, SHARED, kind_of
from tmem.spec.answers import declared, event
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
from tmem.spec.slot import Does, Kind

EPERM, ENODEV, ENOMEM, EFROZEN, EEMPTY = (Raised("OSError", number) for number in (1, 19, 12, 1000, 1001))
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
                place: object = ("shared", uuid) if kind.shared else (client, pool)
                if any(other == place and held != kind for other, held in self.pools.values()):
                    return EPERM  # a pool has one kind, its maker's
                self.pools[client, pool] = place, kind
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
    """A history of up to `most` calls after its new pools. Times are small integers, so that some are equal.

    A quarter of them concern one slot and have times and answers at random; of the others, which begin as
    those of a store, most have one call changed. In some of them an id has lifetimes of several kinds.
    """
    chance = draw.random()
    if chance < 0.25:
        return _wild(draw, most)
    return _lifetimes(draw) if chance < 0.45 else _likely(draw, most)


def as_checked(calls: Sequence[Call]) -> list[Call]:
    """The history with single answers weakened to what the checker takes them for (see `check`)."""
    return [_weakened(call) for call in calls if not _says_nothing(call)]


def _says_nothing(call: Call) -> bool:
    # A destroy pool that was refused: to the checker it has happened at no time.
    refused = isinstance(call.operation, DestroyPool) and isinstance(call.answer, Raised)
    return refused and call.end is not None and declared(call.operation, call.answer)


def _weakened(call: Call) -> Call:
    operation, answer = call.operation, call.answer
    if call.end is None or not declared(operation, answer):
        return replace(call, end=None)
    match event(operation, answer).does:
        case Does.REFUSED | Does.FLUSHED | Does.ENDED:
            return replace(call, answer=False)
        case Does.MISS:
            return replace(call, answer=None)
        case Does.DENIED:
            return replace(call, answer=ENODEV)
        case Does.NOTHING if isinstance(operation, Put | FlushPage | FlushObject):
            return replace(call, answer=ENODEV)
    return call


def _wild(draw: random.Random, most: int) -> list[Call]:
    grant = draw.choice(GRANTS)
    handles = [Handle(0, 7, index) for index in range(draw.choice((1, 1, 2)))]
    span, repeats = draw.choice((6, 12, 24)), draw.random() < 0.15
    calls = [Call(NewPool(1, *grant), 0, -2, -1)]
    pages: dict[Handle, list[bytes | None]] = {handle: [None] for handle in handles}
    for number in range(draw.randint(2, most)):
        handle = draw.choice(handles)
        begin = draw.randrange(span)
        end = begin + draw.randrange(1 + span // 2)
        chance = draw.random()
        if chance < 0.35:
            page = b"%d" % (draw.randrange(2) if repeats else number)
            pages[handle] += [page, page]
            calls.append(Call(Put(1, handle, page), draw.random() < 0.9, begin, end))
        elif chance < 0.8:
            calls.append(Call(Get(1, handle), None, begin, end))
        elif chance < 0.97:
            flush = draw.choice((FlushPage(1, handle), FlushObject(1, 0, 7), FlushObject(1, 0, 7)))
            calls.append(Call(flush, True, begin, end))
        else:
            calls.append(Call(DestroyPool(1, 0), True, begin, end))
            calls.append(Call(NewPool(1, *grant), 0, end, end + draw.randrange(3)))
    for n, call in enumerate(calls):
        if isinstance(call.operation, Get):
            calls[n] = replace(call, answer=draw.choice(pages[call.operation.handle]))
    return calls


def _likely(draw: random.Random, most: int) -> list[Call]:
    shape = Shape(draw, shared_kind=draw.choice((0, PERSIST)))
    setup = [
        NewPool(client, *draw.choice(GRANTS))
        for client in range(1, shape.clients + 1)
        for _ in range(shape.ids)
        if draw.random() < 0.95
    ]
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
    if calls and draw.random() < 0.75:
        _spoil(draw, calls, shape)
    return calls


def _lifetimes(draw: random.Random) -> list[Call]:
    # Pools of any kind follow each other under one id of each client, with a few calls in each.
    shape = Shape(draw, shared_kind=0)
    shape.width = draw.choice((1, 1, 2, 3))
    store = Store(draw)
    lanes = [_lane(draw, shape, client) for client in range(1, 1 + draw.choice((1, 1, 2)))]
    calls: list[Call] = []
    now = 0
    while lanes:
        lane = draw.choice(lanes)
        operation = lane.pop(0)
        if not lane:
            lanes.remove(lane)
        if isinstance(operation, NewPool) and (operation.client, 0) in store.pools:
            continue
        now += draw.choice((1, 2, 3, 4))
        begin, end = now - draw.randrange(shape.width), now + draw.randrange(shape.width)
        calls.append(Call(operation, store.perform(operation), begin, end))
    if draw.random() < 0.75:
        _spoil(draw, calls, shape)
    return calls


def _lane(draw: random.Random, shape: Shape, client: int) -> list[Operation]:
    # Two or three lifetimes of pool 0 of a client. Now and then one goes on where another was to begin.
    lane: list[Operation] = []
    handle = Handle(0, 7, 0)
    for _ in range(draw.choice((2, 2, 3))):
        persistent, uuid = draw.choice((0, PERSIST)), draw.choice((None, None, 5, 6))
        lane.append(NewPool(client, persistent | (SHARED if uuid else 0), uuid))
        if draw.random() < 0.8:
            lane.append(Put(client, handle, shape.page()))
        for _ in range(draw.choice((0, 1, 2, 2))):
            chance = draw.random()
            flush = draw.choice((FlushPage(client, handle), FlushObject(client, 0, 7)))
            lane.append(Get(client, handle) if chance < 0.8 else flush)
        if draw.random() < 0.9:
            lane.append(DestroyPool(client, 0))
    return lane


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
        self.oids = draw.choice(((7,), (7,), (7,), (7, 7, 8)))
        self.indexes = draw.choice((1, 1, 1, 2))
        self.clients = draw.choice((1, 1, 1, 2))
        self.ids = draw.choice((1, 1, 1, 2))
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
        handle = Handle(pool, draw.choice(self.oids), draw.randrange(self.indexes))
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
    # Changes one call: most often to something that is wrong only because of the calls around it.
    operations = [n for n, call in enumerate(calls) if not isinstance(call.operation, NewPool)]
    n = draw.choice(operations) if operations and draw.random() < 0.95 else draw.randrange(len(calls))
    call = calls[n]
    chance = draw.random()
    if chance < 0.15:
        calls[n] = replace(call, answer=None, end=None)
    elif chance < 0.25:
        calls[n] = replace(call, answer=draw.choice(STRANGE))
    elif chance < 0.5:
        begin = call.begin + draw.randint(-9, 9)
        calls[n] = replace(call, begin=begin, end=begin + draw.randrange(shape.width))
    elif isinstance(call.operation, Get):
        puts = [c.operation for c in calls if isinstance(c.operation, Put) and c.begin <= (call.end or 0)]
        here = [put.page for put in puts if put.handle == call.operation.handle]
        calls[n] = replace(call, answer=draw.choice([None, *here, *here]))
    elif isinstance(call.operation, Put):
        calls[n] = replace(call, answer=not call.answer)
    elif isinstance(call.operation, NewPool):
        calls[n] = replace(call, answer=draw.randrange(2))
    else:
        calls[n] = replace(call, answer=draw.choice((True, ENODEV, ENOMEM)))
