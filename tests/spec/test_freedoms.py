"""The contract accepts the histories that show a freedom, and the judge those whose calls do not overlap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from tmem.model import Judge
from tmem.spec.clauses import SOURCES
from tmem.spec.freedoms import FREEDOMS, Freedom
from tmem.spec.history import linearizable
from tmem.spec.operations import Get, Put

EVERY = list(FREEDOMS.values())


def test_ids_are_stable() -> None:
    assert list(FREEDOMS) == [f"TMEM-MAY-{n}" for n in range(1, 17)]


@pytest.mark.parametrize("freedom", EVERY, ids=lambda freedom: freedom.id)
def test_the_contract_permits_it(freedom: Freedom) -> None:
    assert freedom.sentence.endswith((".", ".)"))
    assert set(freedom.sources) <= set(SOURCES)
    assert freedom.shown
    for history in freedom.shown:
        assert linearizable(history)


@pytest.mark.parametrize("freedom", EVERY, ids=lambda freedom: freedom.id)
def test_the_judge_permits_it(freedom: Freedom) -> None:
    for history in freedom.shown:
        if any(one.end is None or one.end > other.begin for one, other in pairwise(history)):
            continue  # calls overlap, of which the judge says nothing
        judge = Judge(16)
        for call in history:
            assert judge.observe(call.operation, call.answer) is None, call


@pytest.mark.parametrize("freedom", EVERY, ids=lambda freedom: freedom.id)
def test_a_page_that_nobody_put_is_no_freedom(freedom: Freedom) -> None:
    for history in freedom.shown:
        last = history[-1]
        slot = next(
            (call.operation.handle for call in history if isinstance(call.operation, Put | Get)), None
        )
        if slot is not None and last.end is not None:
            wrong = replace(last, operation=Get(1, slot), answer=b"z" * 16, begin=90, end=91)
            assert not linearizable((*history, wrong))
