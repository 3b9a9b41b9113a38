"""Every operation and every answer of a small world: the letters of which traces are made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final, TypeAlias

from proofs.small_world.relation import Setting
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)

Letter: TypeAlias = tuple[Operation, Answer]

RAISED: Final = (
    *(Raised("OSError", errno) for errno in (1, 12, 19, 22, 28, 1000, 1001, 5)),
    *(Raised(type) for type in ("ValueError", "OverflowError", "TypeError", "KeyError")),
)
"""What may be raised: each errno of the ABI and one of others, what refuses arguments, and another error."""
BAD_FLAGS: Final = (0x01000100, 0x01000004, 0x02000000, 0x01000010, 1 << 32)
"""A reserved bit, precompression, version 2, another page size, 33 bits."""
BEYOND: Final = (1 << 192, -1)
"""Object ids out of range."""


def letters(setting: Setting) -> Iterator[Letter]:
    """Every operation with every answer, legal or not, somewhere or nowhere."""
    clients = sorted({client for client, _ in setting.names})
    for client, request in product(clients, setting.requests):
        ids = [pool for owner, pool in setting.names if owner == client]
        yield from _each(NewPool(client, *request), *ids, True, None, *RAISED)
    for flags in BAD_FLAGS:
        yield from _each(NewPool(clients[0], flags), 0, *RAISED)
    for wrong in (
        NewPool(1 << 16),
        NewPool(-1),
        NewPool(clients[0], 2, 1 << 128),
        NewPool(clients[0], 2, -1),
    ):
        yield from _each(wrong, 0, *RAISED)
    yield from _each(NewPool(clients[0]), -1, 1 << 31)
    for client, pool in setting.names:
        yield from _each(DestroyPool(client, pool), True, False, 0, *RAISED)
        yield from _each(PoolFlags(client, pool), *range(4), 0x01000001, *BAD_FLAGS, True, None, *RAISED)
        for oid in sorted({oid for oid, _ in setting.places}):
            yield from _each(FlushObject(client, pool, oid), True, False, 1, *RAISED)
        for place in setting.places:
            yield from _at(setting, client, Handle(pool, *place))
        yield from _malformed(setting, client, pool)
    yield from _each(Reclaim(1), 0, 1, 2, 10**9, -1, None, *RAISED)
    yield from _each(Reclaim(-1), 0, -1, *RAISED)


def _at(setting: Setting, client: int, handle: Handle) -> Iterator[Letter]:
    put_by_nobody, short = b"?" * setting.page_size, setting.pages[0][1:]
    for page in setting.pages:
        yield from _each(Put(client, handle, page), True, False, None, *RAISED)
    yield from _each(Get(client, handle), None, *setting.pages, put_by_nobody, short, True, *RAISED)
    yield from _each(FlushPage(client, handle), True, False, b"", *RAISED)


def _malformed(setting: Setting, client: int, pool: int) -> Iterator[Letter]:
    page, place = setting.pages[0], setting.places[0]
    yield from _each(Put(client, Handle(pool, *place), page[1:]), True, False, *RAISED)
    for handle in (*(Handle(pool, oid, 0) for oid in BEYOND), Handle(pool, place[0], 1 << 32)):
        yield from _each(Put(client, handle, page), True, False, *RAISED)
        yield from _each(Get(client, handle), None, page, *RAISED)
        yield from _each(FlushPage(client, handle), True, False, *RAISED)
    for oid in BEYOND:
        yield from _each(FlushObject(client, pool, oid), True, False, *RAISED)


def _each(operation: Operation, *answers: Answer) -> Iterator[Letter]:
    return ((operation, answer) for answer in answers)
