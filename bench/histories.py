"""Random histories: small ones of every kind for comparison with the definition, large ones for speed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush

from tmem.conformance.history.calls import Call as Record
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
    """A history of up to `most` calls after its new pools. Times are small integers, so that some are equal.

    A quarter of them tell of one slot and have times and answers at random; of the others, which begin as
    those of a store, most have one call changed.
    """
    return _wild(draw, most) if draw.random() < 0.25 else _likely(draw, most)


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
    # Changes one call: most often to something that only the calls around it can tell to be wrong.
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


def many(count: int, seed: int) -> Iterator[list[Call]]:
    """Small histories, the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        yield small(draw)


FLUSH_OBJECT, DESTROY, FAILED_PUT = 0.01, 0.0001, 0.02
"""The shares of flush objects and destroys in a large history, and of puts that fail."""


def large(count: int, threads: int, slots: int, flags: int, seed: int = 1) -> list[Record]:
    """A legal history: `count` calls by threads that never rest, in the order of their begins.

    Pools have up to 10 objects of 10 slots. Pages are numbers; times are nanoseconds, as of calls that
    take 1 to 11 microseconds, with a moment in between at which they take effect.
    """
    draw = random.Random(seed)
    ready = [(draw.randrange(10_000), thread) for thread in range(threads)]
    heapify(ready)
    schedule: list[tuple[int, int, int, int]] = []
    for _ in range(count):
        begin, thread = heappop(ready)
        end = begin + 1_000 + draw.randrange(10_000)
        schedule.append((draw.randint(begin, end), begin, end, thread))
        heappush(ready, (end + 1 + draw.randrange(1_000), thread))
    schedule.sort()
    store = Numbers(flags, slots, draw)
    calls = store.setup()
    for number, (_, begin, end, thread) in enumerate(schedule[len(calls) :]):
        op, args, answer = store.next(number, thread)
        calls.append(Record(thread, begin, end, op, args, answer))
    calls.sort(key=lambda call: call.begin)
    return calls


class Numbers:
    """A store of numbers that answers random operations, and forgets an ephemeral page now and then."""

    def __init__(self, flags: int, slots: int, draw: random.Random) -> None:
        self.flags = flags
        self.persistent = bool(flags & PERSIST)
        self.draw = draw
        self.names = [(1, n // 100, n // 10 % 10, n % 10) for n in range(slots)]
        self.live = {pool for _, pool, _, _ in self.names}
        self.mending: dict[int, int] = {}
        self.pages: dict[tuple[int, int, int, int], int] = {}

    def setup(self) -> list[Record]:
        """The new pools, before everything else."""
        pools = sorted(self.live)
        return [
            Record(0, n - 1000, n - 1000, "new_pool", (1, self.flags, None), pool)
            for n, pool in enumerate(pools)
        ]

    def next(self, number: int, thread: int) -> tuple[str, tuple[int | None, ...], object]:
        """An operation and its answer; a thread that destroyed a pool makes it anew."""
        draw = self.draw
        if thread in self.mending:
            pool = self.mending.pop(thread)
            self.live.add(pool)
            return "new_pool", (1, self.flags, None), pool
        name = draw.choice(self.names)
        client, pool, oid, _ = name
        live = pool in self.live
        chance = draw.random()
        if chance < DESTROY and live:
            self.live.discard(pool)
            self.mending[thread] = pool
            self.pages = {slot: page for slot, page in self.pages.items() if slot[1] != pool}
            return "destroy_pool", (client, pool), True
        if not live:
            return "get", name, ENODEV
        if chance < FLUSH_OBJECT:
            for slot in [slot for slot in self.pages if slot[:3] == (client, pool, oid)]:
                del self.pages[slot]
            return "flush_object", (client, pool, oid), True
        return self.page(number, name, chance)

    def page(
        self, number: int, name: tuple[int, int, int, int], chance: float
    ) -> tuple[str, tuple[int, ...], object]:
        """An operation on one slot."""
        if chance < 0.45:
            if self.draw.random() < FAILED_PUT:
                self.pages.pop(name, None)
                return "put", (*name, number), False
            self.pages[name] = number
            return "put", (*name, number), True
        if chance < 0.9:
            if not self.persistent and self.draw.random() < 0.05:
                self.pages.pop(name, None)
            return "get", name, self.pages.get(name) if self.persistent else self.pages.pop(name, None)
        return "flush_page", name, self.pages.pop(name, None) is not None


def overlapping(count: int, threads: int, slots: int, flags: int) -> list[Record]:
    """The hostile extreme: every call on one slot is under way at one moment, so that they all overlap."""
    draw = random.Random(count)
    calls = [Record(0, 0, 1, "new_pool", (1, flags, None), 0)]
    pages: list[int] = []
    for number in range(1, count):
        begin, end = 1 + number, 2 * count + draw.randrange(count)
        chance = draw.random()
        if chance < 0.4:
            calls.append(Record(number, begin, end, "put", (1, 0, 7, 3, number), True))
            pages.append(number)
        elif chance < 0.6 and pages:
            page = pages.pop() if not flags & PERSIST else draw.choice(pages)
            calls.append(Record(number, begin, end, "get", (1, 0, 7, 3), page))
        elif chance < 0.9:
            calls.append(Record(number, begin, end, "get", (1, 0, 7, 3), None))
        else:
            calls.append(Record(number, begin, end, "flush_page", (1, 0, 7, 3), True))
    return calls


def reused(count: int, threads: int, slots: int, flags: int) -> list[Record]:
    """A legal history in which pages are put again and again, as callers that share contents do."""
    calls = large(count, threads, slots, flags)
    pages = {call.args[4]: call.args[4] % 50 for call in calls if call.op == "put"}  # type: ignore[operator]
    return [
        call._replace(
            args=(*call.args[:4], pages[call.args[4]]) if call.op == "put" else call.args,
            answer=pages[call.answer] if call.op == "get" and type(call.answer) is int else call.answer,
        )
        for call in calls
    ]
