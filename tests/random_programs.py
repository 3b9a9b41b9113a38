"""A small random driver: programs over a few awkward handles, judged as they go."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tmem.model import Judge, Violation
from tmem.spec import (
    Answer,
    Backend,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    Handle,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
from tmem.spec.abi.flags import PERSIST, SHARED

PAGE_SIZE = 64
SCRIBBLE = b"\xa5scribble" * (PAGE_SIZE // 9) + b"!" * (PAGE_SIZE % 9)
HIGH = 1 << 128
OIDS = (0, 5, 5 + HIGH, (1 << 192) - 1, (3 << 64) | 6, (6 << 64) | 3, 5 + (1 << 64), 6)
INDEXES = (0, 63, 64, 1 << 16, 1 << 31, (1 << 32) - 1, 1)
UUIDS = (None, 77, 78 << 64, (1 << 128) - 1, 78)
BAD_FLAGS = (4, 1 << 8, 2 << 24, 3 << 4, 1 << 23)


def pages(dice: random.Random) -> Iterator[bytes]:
    """Pages of every awkward kind, nearly all of them different from one another."""
    number = 0
    while True:
        number += 1
        stamp = number.to_bytes(8, "little")
        kind = dice.randrange(10)
        if kind == 0:
            yield bytes(PAGE_SIZE)
        elif kind == 1:
            yield bytes([dice.randrange(256)]) * PAGE_SIZE
        elif kind == 2:
            yield stamp * (PAGE_SIZE // 8)
        elif kind == 3:
            yield b"same end" * 2 + stamp * (PAGE_SIZE // 8 - 4) + b"same end" * 2
        elif kind == 4:
            yield b"abc" + stamp + bytes(PAGE_SIZE - 11)
        elif kind == 5:
            page = bytearray(b"all but one byte" * (PAGE_SIZE // 16))
            page[number % PAGE_SIZE] = number // PAGE_SIZE % 256
            yield bytes(page)
        elif kind == 6:
            page = bytearray(PAGE_SIZE)
            for n in range(4):
                page[stamp[0] * 4 % PAGE_SIZE + n] = stamp[n]
            page[-1] = -sum(page) % 256
            yield bytes(page)
        else:
            yield stamp + dice.randbytes(PAGE_SIZE - 8)


class Programs:
    """Draws operations; `pools` are the ids that were granted, dead ones kept for a while."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.pages = pages(self.dice)
        self.begin()

    def begin(self) -> None:
        """Start a program: a few objects and indexes, so that slots are met again."""
        self.oids = self.dice.sample(OIDS, 3)
        if self.dice.random() < 0.5:
            self.oids[1] = self.oids[0] ^ self.dice.choice((HIGH, 1 << 191, 1 << 64, 1 << 63, 1 << 32))
        self.indexes = self.dice.sample(INDEXES, 3)
        self.pools: list[tuple[int, int]] = []
        self.last: list[tuple[int, int, int, int]] = []

    def start(self) -> list[Operation]:
        """The pools that a program begins with."""
        return [self.new_pool(client) for client in (1, 2) for _ in range(2)]

    def new_pool(self, client: int | None = None) -> NewPool:
        dice = self.dice
        flags = dice.choice((0, PERSIST, PERSIST, SHARED, SHARED | PERSIST)) | dice.choice((0, 1 << 24))
        return NewPool(client or dice.choice((1, 2)), flags, dice.choice(UUIDS))

    def next(self) -> Operation:
        """One operation, on a slot met before as often as not."""
        dice = self.dice
        client, pool = dice.choice(self.pools) if self.pools else (1, 0)
        if dice.random() < 0.03:
            client, pool = dice.choice((1, 2, 3)), dice.choice((0, 1, 2, 9, -1, 1 << 40))
        slot = (client, pool, dice.choice(self.oids), dice.choice(self.indexes))
        if self.last and dice.random() < 0.6:
            slot = dice.choice(self.last)
        self.last = [*self.last[-5:], slot]
        client, pool, oid, index = slot
        handle = Handle(pool, oid, index)
        draw = dice.random()
        if draw < 0.36:
            return Put(client, handle, next(self.pages))
        if draw < 0.72:
            return Get(client, handle)
        if draw < 0.80:
            return FlushPage(client, handle)
        if draw < 0.86:
            return FlushObject(client, pool, oid)
        if draw < 0.89:
            return Reclaim(dice.randrange(4))
        if draw < 0.93:
            return DestroyPool(client, pool)
        if draw < 0.97:
            return self.new_pool()
        return self.awkward(client, handle)

    def awkward(self, client: int, handle: Handle) -> Operation:
        """An operation with an argument out of range, or flags that are not taken."""
        dice = self.dice
        bad = Handle(handle.pool, *dice.choice([(1 << 192, handle.index), (handle.oid, 1 << 32), (-1, 0)]))
        length = dice.choice((0, PAGE_SIZE - 1, PAGE_SIZE + 1, PAGE_SIZE * 2))
        wrong = (next(self.pages) * 2)[:length]
        return dice.choice(
            [
                Put(client, handle, wrong),
                Put(client, bad, next(self.pages)),
                Get(client, bad),
                FlushPage(client, bad),
                FlushObject(client, handle.pool, 1 << 192 | handle.oid),
                NewPool(client, dice.choice(BAD_FLAGS)),
            ]
        )


def call(backend: Backend, operation: Operation) -> Answer:
    """Do it and catch what is raised; the buffer that was put is scribbled over."""
    try:
        match operation:
            case NewPool(client, flags, uuid):
                return backend.new_pool(client, flags, uuid)
            case DestroyPool(client, pool):
                return backend.destroy_pool(client, pool)
            case Put(client, handle, page):
                buffer = bytearray(page)
                try:
                    return backend.put(client, handle.pool, handle.oid, handle.index, buffer)
                finally:
                    buffer[:] = SCRIBBLE[: len(buffer)].ljust(len(buffer))
            case Get(client, handle):
                return backend.get(client, handle.pool, handle.oid, handle.index)
            case FlushPage(client, handle):
                return backend.flush_page(client, handle.pool, handle.oid, handle.index)
            case FlushObject(client, pool, oid):
                return backend.flush_object(client, pool, oid)
            case PoolFlags(client, pool):
                return backend.pool_flags(client, pool)  # type: ignore[attr-defined, no-any-return]
            case Reclaim(pages):
                return backend.reclaim(pages)  # type: ignore[attr-defined, no-any-return]
    except Exception as error:
        return Raised.of(error)
    raise AssertionError(operation)


def run(backend: Backend, programs: Programs, length: int = 40) -> Violation | None:
    """One program against a fresh backend; the first violation."""
    judge = Judge(PAGE_SIZE, scribble=SCRIBBLE)
    programs.begin()
    todo = programs.start()
    for _ in range(length):
        operation = todo.pop(0) if todo else programs.next()
        if isinstance(operation, Reclaim) and not hasattr(backend, "reclaim"):
            continue
        answer = call(backend, operation)
        if violation := judge.observe(operation, answer):
            return violation
        if isinstance(operation, NewPool) and type(answer) is int:
            programs.pools.append((operation.client, answer))
            if hasattr(backend, "pool_flags"):
                todo.insert(0, PoolFlags(operation.client, answer))
    return None
