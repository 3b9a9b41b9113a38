"""Performs operations on a backend and records the answers, exceptions included."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from tmem.spec.backend import Backend, Reclaims, TellsFlags
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

BUFFERS: tuple[Callable[[bytes], bytes | bytearray | memoryview], ...] = (
    bytes,
    bytearray,
    lambda page: memoryview(bytearray(page)),
)
"""The ways in which a caller may hold a page; the last two are changed after the put."""


def perform(backend: Backend, operation: Operation, scribble: bytes = b"", buffer: int = 0) -> Answer:
    """What the backend answers; whatever it raises is an answer too.

    A put passes the page as `BUFFERS[buffer]` and writes `scribble` over it as soon as it returns
    (TMEM-PUT-4).
    """
    try:
        match operation:
            case Put(client, handle, page):
                held = BUFFERS[buffer](page)
                try:
                    return backend.put(client, handle.pool, handle.oid, handle.index, held)
                finally:
                    if not isinstance(held, bytes) and len(held) == len(scribble):
                        held[:] = scribble
            case Get(client, handle):
                return backend.get(client, handle.pool, handle.oid, handle.index)
            case FlushPage(client, handle):
                return backend.flush_page(client, handle.pool, handle.oid, handle.index)
            case FlushObject(client, pool, oid):
                return backend.flush_object(client, pool, oid)
            case NewPool(client, flags, uuid):
                return backend.new_pool(client, flags, uuid)
            case DestroyPool(client, pool):
                return backend.destroy_pool(client, pool)
            case PoolFlags(client, pool):
                return cast(TellsFlags, backend).pool_flags(client, pool)
            case Reclaim(pages):
                return cast(Reclaims, backend).reclaim(pages)
    except BaseException as error:  # SystemExit of a target must not end the suite
        return Raised.of(error)


def close(backend: Backend) -> Raised | None:
    """Close a backend; what it raised instead of returning."""
    try:
        backend.close()
    except BaseException as error:
        return Raised.of(error)
    return None
