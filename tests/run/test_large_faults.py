"""Faults that only size, repetition, number or a full store shows are found, and blamed on a right clause."""

from __future__ import annotations

import random

import pytest

from tests.run.test_large_cases import first
from tmem.conformance.conforming.plain import Plain
from tmem.conformance.faults import FAULTS, Fault

LARGE = [known for known in FAULTS.values() if known.kind == "large"]
BEYOND = {
    "table-grows-32768",
    "border-of-65536",
    "id-by-hash-of-20-bits",
    "id-by-hash-of-32-bits",
    "index-of-17-bits",
    "objects-in-8192-places",
    "hits-in-16-bits",
    "puts-in-16-bits",
    "flushes-in-16-bits",
    "copies-in-16-bits",
    "lifetimes-in-16-bits",
}
"""Those that may take a run of full size."""


def test_there_are_many() -> None:
    assert len(LARGE) >= 50


SMALL = [known for known in LARGE if known.name not in BEYOND]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(known, marks=[pytest.mark.long] * (place >= 4))
        for place, known in enumerate(random.Random(1).sample(SMALL, 12))
    ],
    ids=lambda known: known.name,
)
def test_it_is_found(known: Fault) -> None:
    found = first(lambda: known.wrap(Plain()))
    assert found is not None, known.name
    assert found.clause in known.clauses, found


@pytest.mark.long
@pytest.mark.parametrize(
    "known",
    [FAULTS[name] for name in ("flushes-in-16-bits", "hits-in-16-bits")],
    ids=lambda known: known.name,
)
def test_it_is_found_at_full_size(known: Fault) -> None:
    found = first(lambda: known.wrap(Plain()), seed=1, scale=1.0)
    assert found is not None, known.name
    assert found.clause in known.clauses, found
