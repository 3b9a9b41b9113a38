"""Performs operations on a backend and records the answers, exceptions included."""

from __future__ import annotations

from collections.abc import Callable

from tmem.spec.backend import Backend
from tmem.spec.operations import Answer, Operation, Put, Raised, flat

BUFFERS: tuple[Callable[[bytes], bytes | bytearray | memoryview], ...] = (
    bytes,
    bytearray,
    lambda page: memoryview(bytearray(page)),
)
"""The types as which a caller may pass a page; buffers of the last two are overwritten after the put."""


def perform(backend: Backend, operation: Operation, scribble: bytes = b"", buffer: int = 0) -> Answer:
    """Call the backend and return its answer, or the exception that it raised.

    A put passes the page as `BUFFERS[buffer]` and writes `scribble` over it as soon as it returns
    (TMEM-PUT-4).
    """
    method, arguments = flat(operation)
    answer: Answer
    try:
        if type(operation) is not Put or not buffer:
            answer = getattr(backend, method)(*arguments)
            return answer
        held = BUFFERS[buffer](operation.page)
        try:
            answer = getattr(backend, method)(*arguments[:-1], held)
            return answer
        finally:
            if not isinstance(held, bytes) and len(held) == len(scribble):
                held[:] = scribble
    except BaseException as error:  # SystemExit of a target must not end the suite
        return Raised.of(error)


def close(backend: Backend) -> Raised | None:
    """Close a backend. Returns the exception that it raised, or None."""
    try:
        backend.close()
    except BaseException as error:
        return Raised.of(error)
    return None
