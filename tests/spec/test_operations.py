"""The table of operations agrees with the Protocol, and `from_flat` is the inverse of `flat`."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

from tmem.spec.backend import OPERATIONS, Backend, Reclaims, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    SIGNATURES,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Reclaim,
    flat,
    from_flat,
)

HANDLE = Handle(2, 7 | 1 << 191, (1 << 32) - 1)
EACH: tuple[Operation, ...] = (
    Put(1, HANDLE, b"page"),
    Get(1, HANDLE),
    FlushPage(1, HANDLE),
    FlushObject(1, 2, HANDLE.oid),
    NewPool(1, 1 << 24, None),
    NewPool(1, 2, 5),
    DestroyPool(1, 2),
    PoolFlags(1, 2),
    Reclaim(3),
)


def test_the_table_has_every_operation_once() -> None:
    assert {each.operation for each in SIGNATURES.values()} == set(get_args(Operation))
    assert all(method == each.method for method, each in SIGNATURES.items())


@pytest.mark.parametrize("method", SIGNATURES)
def test_the_arguments_are_those_of_the_protocols_method(method: str) -> None:
    protocol = {"reclaim": Reclaims, "pool_flags": TellsFlags}.get(method, Backend)
    _, *parameters = inspect.signature(getattr(protocol, method)).parameters
    assert SIGNATURES[method].arguments == tuple(parameters)
    assert (protocol is Backend) == (method in OPERATIONS)


@pytest.mark.parametrize("operation", EACH)
def test_from_flat_is_the_inverse_of_flat(operation: Operation) -> None:
    method, arguments = flat(operation)
    assert len(arguments) == len(SIGNATURES[method].arguments)
    assert from_flat(method, arguments) == operation


def test_the_arguments_stand_in_the_order_of_the_method() -> None:
    assert flat(EACH[0]) == ("put", (1, 2, HANDLE.oid, HANDLE.index, b"page"))
    assert flat(EACH[3]) == ("flush_object", (1, 2, HANDLE.oid))
    assert flat(EACH[8]) == ("reclaim", (3,))


def test_a_method_or_a_number_of_arguments_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        from_flat("close", ())
    with pytest.raises(TypeError):
        from_flat("get", (1, 2, 7, 3, 4))
    with pytest.raises(TypeError):
        from_flat("flush_page", (1, 2, 7))
