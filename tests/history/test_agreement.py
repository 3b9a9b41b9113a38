"""The checker against the definition, on small histories of every kind; `make history-agreement` has more."""

from __future__ import annotations

import random

import pytest

from bench.histories import as_checked, small
from tmem.conformance.history.calls import call_of
from tmem.conformance.history.checker import Illegal, Legal, Unknown, check
from tmem.conformance.history.slot.certificate import objection
from tmem.spec.history import linearizable


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("claims", [(), ("atomic-flush",)])
def test_agrees_with_definition(seed: int, claims: tuple[str, ...]) -> None:
    draw = random.Random(seed)
    illegal = unknown = 0
    for _ in range(400):
        history = small(draw)
        calls = [call_of(0, c.begin, c.end, c.operation, c.answer) for c in history]
        result = check(calls, claims=claims)
        unknown += isinstance(result, Unknown)
        illegal += isinstance(result, Illegal)
        if not isinstance(result, Unknown):
            legal = linearizable(as_checked(history), atomic_flush=bool(claims))
            assert isinstance(result, Legal) == legal, "\n".join(map(str, calls))
        if isinstance(result, Legal):
            assert [text for order in result.linearizations() if (text := objection(order))] == []
    assert illegal >= 25
    assert unknown <= 5
