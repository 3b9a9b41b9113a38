"""A history that is linearizable is intact: over all histories of three calls of a small world."""

from __future__ import annotations

from itertools import product

import pytest

from proofs.small_world.settings import BOTH, CACHE, COMMON, SWAP
from tmem.spec import Answer, DestroyPool, FlushObject, FlushPage, Get, Handle, NewPool, Operation, Put
from tmem.spec.history import Call, linearizable
from tmem.spec.integrity import intact

AT = Handle(0, 7, 3)
LETTERS: list[tuple[Operation, Answer]] = [
    (Put(1, AT, b"a"), True),
    (Put(1, AT, b"b"), True),
    (Put(1, AT, b"a"), False),
    (Get(1, AT), b"a"),
    (Get(1, AT), None),
    (FlushPage(1, AT), True),
    (FlushObject(1, 0, 7), True),
    (DestroyPool(1, 0), True),
]
TIMES = (
    ((2, 3), (4, 5), (6, 7)),
    ((2, 4), (3, 5), (6, 7)),
    ((2, 3), (4, 6), (5, 7)),
    ((2, 7), (3, 4), (5, 6)),
    ((2, 5), (3, 6), (4, 7)),
    ((2, None), (3, 4), (5, 6)),
)
"""One after the other; two that overlap; one around the others; all at once; one that never returns."""


@pytest.mark.parametrize(("flags", "uuid"), [(CACHE, None), (SWAP, None), (COMMON, 5), (BOTH, 5)])
def test_what_is_linearizable_is_intact(flags: int, uuid: int | None) -> None:
    new = Call(NewPool(1, flags, uuid), 0, 0, 1)
    linear = broken = 0
    for letters, times in product(product(LETTERS, repeat=3), TIMES):
        calls = [new, *(Call(*letter, *time) for letter, time in zip(letters, times, strict=True))]
        sound = intact(calls)
        broken += not sound
        if linearizable(calls):
            linear += 1
            assert sound, calls
    assert min(linear, broken) > 100
