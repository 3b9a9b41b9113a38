"""Every operation and every answer of a small world: the letters of which traces are made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TypeAlias

from proofs.small_world.relation import Setting
from tmem.spec.abi.errors import EINVAL, NAMES
from tmem.spec.abi.flags import RESERVED, compose
from tmem.spec.handle import OBJECT_BITS, Handle
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
    Reclaim,
)

Letter: TypeAlias = tuple[Operation, Answer]

ERRNOS = tuple(Raised("OSError", errno) for errno in NAMES)
"""A refusal by each errno of the ABI."""
REQUESTS = (
    (compose(), None),
    (compose(persistent=True), None),
    (compose(shared=True), 5),
    (compose(persistent=True, shared=True), 6),
)
"""Flags and UUID of each kind of pool. All who join a UUID ask for the kind that its maker asked for."""


def letters(setting: Setting) -> Iterator[Letter]:
    """Every operation with every answer, legal or not, somewhere or nowhere."""
    clients = sorted({client for client, _ in setting.names})
    for client, (flags, uuid) in product(clients, (*REQUESTS, (RESERVED, None))):
        ids = [pool for owner, pool in setting.names if owner == client]
        yield from _each(NewPool(client, flags, uuid), *ids, None, *ERRNOS)
    for client, pool in setting.names:
        yield from _each(DestroyPool(client, pool), True, False, 0, *ERRNOS)
        for oid in sorted({oid for oid, _ in setting.places}):
            yield from _each(FlushObject(client, pool, oid), True, False, 1, *ERRNOS)
        for place in setting.places:
            yield from _at(setting, client, Handle(pool, *place))
        yield from _malformed(setting, client, pool)
    yield from _each(Reclaim(1), 0, 1, -1)


def _at(setting: Setting, client: int, handle: Handle) -> Iterator[Letter]:
    put_by_nobody, short = b"?" * setting.page_size, setting.pages[0][1:]
    for page in setting.pages:
        yield from _each(Put(client, handle, page), True, False, None, *ERRNOS)
    yield from _each(Get(client, handle), None, *setting.pages, put_by_nobody, short, True, *ERRNOS)
    yield from _each(FlushPage(client, handle), True, False, b"", *ERRNOS)


def _malformed(setting: Setting, client: int, pool: int) -> Iterator[Letter]:
    page, beyond = setting.pages[0], Handle(pool, 1 << OBJECT_BITS, 0)
    refusals = (Raised("OSError", EINVAL), Raised("ValueError"))
    yield from _each(Put(client, Handle(pool, *setting.places[0]), page[1:]), True, *refusals)
    yield from _each(Put(client, beyond, page), True, *refusals)
    yield from _each(Get(client, beyond), None, page, *refusals)
    yield from _each(FlushPage(client, beyond), True, *refusals)
    yield from _each(FlushObject(client, pool, beyond.oid), True, *refusals)


def _each(operation: Operation, *answers: Answer) -> Iterator[Letter]:
    return ((operation, answer) for answer in answers)
