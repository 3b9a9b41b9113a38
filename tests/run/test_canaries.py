"""Canaries are noticed around what works, and left out around what would hide them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tmem.conformance.conforming.replies import PoolIds
from tmem.conformance.engines import canaries as engine
from tmem.conformance.engines.canaries import COUNT, Canaries, known_short, seeded
from tmem.conformance.events import Canary, Event, Note, Progress
from tmem.conformance.faults import FAULTS, Fault
from tmem.conformance.turn import Turn
from tmem.model.adversary import Adversary
from tmem.spec.backend import Backend


def run(strategy: str, seed: int = 0) -> list[Event]:
    events: list[Event] = []
    Canaries().run(Turn("test", lambda number: Adversary(strategy, seed=number), seed, events.append))
    return events


@pytest.mark.parametrize("seed", range(3))
def test_all_canaries_are_noticed_on_a_store_that_keeps_its_pages(seed: int) -> None:
    canaries = [event for event in run("keep", seed) if isinstance(event, Canary)]
    assert len(canaries) == COUNT
    assert all(canary.caught and canary.clause in FAULTS[canary.fault].clauses for canary in canaries)


def test_other_seeds_draw_other_faults() -> None:
    drawn = {event.fault for seed in range(3) for event in run("keep", seed) if isinstance(event, Canary)}
    assert len(drawn) > COUNT


@pytest.mark.parametrize("strategy", ["evict-at-once", "refuse-puts"])
def test_no_canaries_run_on_a_store_that_hides_faults(strategy: str) -> None:
    (note,) = run(strategy)
    assert isinstance(note, Note)
    assert "No canaries were run" in note.text


def test_looks_leave_time_for_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target whose looks would take all of the turn: each look takes a tenth of it."""
    now, events = [0.0], list[Event]()
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def fresh(number: int) -> Backend:
        now[0] += 0.1
        return Adversary("keep")

    turn = Turn("test", fresh, 0, events.append, deadline=40.0)
    Canaries().run(turn)
    assert [event.caught for event in events if isinstance(event, Canary)].count(True) >= 1


def test_faults_that_cannot_show_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    shows = "pool id of two clients"
    monkeypatch.setattr(
        engine, "known_short", lambda: [name for name, fault in FAULTS.items() if shows in fault.needs]
    )

    def canaries_of(backend: Callable[[int], Backend]) -> list[Event]:
        events: list[Event] = []
        Canaries().run(Turn("test", backend, 0, events.append))
        return [event for event in events if not isinstance(event, Progress)]

    canaries = canaries_of(lambda number: Adversary("keep"))
    assert len(canaries) == COUNT
    assert all(isinstance(canary, Canary) and canary.caught for canary in canaries)
    (note,) = canaries_of(lambda number: PoolIds(Adversary("keep"), "never again", Random(0)))
    assert isinstance(note, Note)
    assert note.text.startswith("Only 0 of the canaries")


def test_a_fault_that_changes_nothing_goes_unnoticed() -> None:
    def same(backend: Backend) -> Backend:
        return backend

    harmless = Fault("harmless", "Nothing is wrong.", ("TMEM-PUT-1",), "puts", same)
    canary = seeded(Turn("test", lambda number: Adversary("keep"), 0), harmless, 3_000)
    assert not canary.caught
    assert canary.operations > 1_000


def test_most_faults_are_known_to_be_noticed_soon() -> None:
    assert len(known_short()) > 150
    assert set(known_short()) <= set(FAULTS)
