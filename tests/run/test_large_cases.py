"""Stores with one thing wrong that only size, repetition or fullness shows are found, on any seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support import large_cases as cases
from tmem.conformance.conforming.plain import Plain
from tmem.conformance.engines.large.run import Large
from tmem.conformance.events import Event, Finding, Found, Note, World
from tmem.conformance.turn import Source, Turn
from tmem.spec.backend import Backend

HANDLES = {"TMEM-HANDLE-1", "TMEM-HANDLE-2"}
SHORT = 0.02
ONE = Source("tests", "one")
"""A target that is one backend, not several in turn."""


class EnoughError(Exception):
    """Ends a run at its first finding."""


def events(
    make: Callable[[], Backend], seed: int = 0, scale: float = SHORT, *, enough: bool = False
) -> list[Event]:
    """What the engine reports of a backend."""
    reported: list[Event] = []

    def emit(event: Event) -> None:
        reported.append(event)
        if enough and isinstance(event, Found):
            raise EnoughError

    with suppress(EnoughError):
        Large().run(Turn("test", lambda number: make(), seed, emit, scale=scale, source=ONE))
    return reported


def first(make: Callable[[], Backend], seed: int = 0, scale: float = SHORT) -> Finding | None:
    """What the engine finds first."""
    found = events(make, seed, scale, enough=True)
    return next((event.finding for event in found if isinstance(event, Found)), None)


CASES: dict[str, tuple[Callable[[], Backend], set[str]]] = {
    "full store keeps old, 64": (lambda: cases.KeepsOld(64), {"TMEM-PUT-1"}),
    "full store keeps old, 1,000": (lambda: cases.KeepsOld(1_000), {"TMEM-PUT-1"}),
    "full pool keeps old": (cases.KeepsOldOfEachPool, {"TMEM-PUT-1"}),
    "exactly full, 6": (lambda: cases.KeepsOldPersistent(6), {"TMEM-PUT-1"}),
    "exactly full, 14": (lambda: cases.KeepsOldPersistent(14), {"TMEM-PUT-1"}),
    "exactly full, 64": (lambda: cases.KeepsOldPersistent(64), {"TMEM-PUT-1"}),
    "batch of 32": (cases.Batch, {"TMEM-FLUSH-2"}),
    "batch of 3": (cases.SmallBatch, {"TMEM-FLUSH-2"}),
    "table grows": (cases.Grows, {"TMEM-GET-3"}),
    "count of 5 bits": (cases.FiveBits, {"TMEM-GET-3"}),
    "count of 8 bits": (cases.EightBits, {"TMEM-GET-3"}),
    "leak": (cases.Leaks, {"regain"}),
    "two words": (cases.TwoWords, HANDLES),
    "tag": (cases.Tag, HANDLES),
    "leaf": (cases.Leaf, {"TMEM-GET-3"}),
}


SOME = {"full pool keeps old", "exactly full, 64", "batch of 32", "table grows", "leak", "two words"}
"""One case of each kind."""


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=[pytest.mark.long] * (seed > 0 or name not in SOME))
        for name in CASES
        for seed in (0, 1)
    ],
)
def test_it_is_found_and_small(name: str, seed: int) -> None:
    make, clauses = CASES[name]
    found = first(make, seed)
    assert found is not None, f"{name} was not found"
    assert found.clause in clauses
    assert len(found.steps) <= 6


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_it_is_found_on_any_seed(name: str, seed: int) -> None:
    make, clauses = CASES[name]
    found = first(make, seed)
    assert found is not None
    assert found.clause in clauses


@pytest.mark.long
@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize(
    ("make", "clause"),
    [(cases.CountWraps, "TMEM-GET-3"), (lambda: cases.KeepsOld(5_000), "TMEM-PUT-1"), (cases.TwoWords, "")],
)
def test_it_is_found_at_full_size(make: Callable[[], Backend], clause: str, seed: int) -> None:
    found = first(make, seed, scale=1.0)
    assert found is not None
    assert found.clause in ({clause} if clause else HANDLES)


EPHEMERAL = frozenset({"private persistent", "shared ephemeral", "shared persistent"})
"""What a cache does not offer."""


def test_a_store_of_ephemeral_pools_alone_is_filled() -> None:
    reported: list[Event] = []
    turn = Turn("test", lambda number: cases.EphemeralOnly(), 0, reported.append, scale=SHORT, source=ONE)
    turn.missing = EPHEMERAL
    Large().run(turn)
    assert {event.finding.clause for event in reported if isinstance(event, Found)} & HANDLES


def test_pool_ids_that_never_come_back_are_no_leak() -> None:
    reported = events(cases.FreshIds)
    grown = [event.most for event in reported if isinstance(event, World)]
    assert any("bytes grown per lifetime of a pool" in most for most in grown)
    assert not any(isinstance(event, Found) for event in reported)


def test_a_leak_without_a_claim_is_a_note() -> None:
    reported = events(cases.LeaksWithoutAClaim)
    assert not any(isinstance(event, Found) for event in reported)
    assert any(isinstance(event, Note) and "grows by" in event.text for event in reported)


@pytest.mark.parametrize("most", [14, *(pytest.param(n, marks=pytest.mark.long) for n in (None, 1, 500))])
def test_a_correct_store_raises_no_alarm(most: int | None) -> None:
    assert first(lambda: Plain(most)) is None
