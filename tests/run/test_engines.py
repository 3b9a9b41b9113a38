"""The engines find faults, shrink the counterexamples, and report nothing on backends that conform."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tmem.conformance.coverage import REQUIRED
from tmem.conformance.engines import ENGINES
from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.engines.machine import Machines
from tmem.conformance.engines.volume import Volume
from tmem.conformance.events import Checked, Covered, Event, Finding, Found
from tmem.conformance.programs.program import HEADER, decode, from_json
from tmem.conformance.turn import Engine, Turn
from tmem.model.adversary import Adversary
from tmem.spec.backend import Backend
from tmem.spec.clauses import CLAUSES


class ForgetsFlush(Adversary):
    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        return (
            True
            if 0 <= index < 1 << 32 and 0 <= oid < 1 << 192
            else super().flush_page(client, pool, oid, index)
        )


class CutsObjectIds(Adversary):
    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        return super().put(client, pool, oid if oid >> 192 else oid % (1 << 64), index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        return super().get(client, pool, oid if oid >> 192 else oid % (1 << 64), index)


class Raises(Adversary):
    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        raise SystemExit("gone")


class TakesReservedBits(Adversary):
    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        return super().new_pool(client, flags & 3 | 1 << 24, uuid)


def found(
    engine: Engine, make: Callable[[], Backend], scale: float = 0.1, seed: int = 0
) -> dict[str, Finding]:
    events: list[Event] = []
    engine.run(Turn("test", lambda number: make(), seed, events.append, scale=scale))
    return {event.finding.clause: event.finding for event in events if isinstance(event, Found)}


Faults = pytest.mark.parametrize(
    ("backend", "clause", "most"),
    [
        pytest.param(ForgetsFlush, "TMEM-FLUSH-1", 4, marks=pytest.mark.long),
        (CutsObjectIds, "TMEM-HANDLE-2", 3),
        (Raises, "TMEM-ERR-1", 1),
        (TakesReservedBits, "TMEM-POOL-4", 1),
    ],
    ids=str,
)


@Faults
def test_volume_finds_and_shrinks(backend: type[Adversary], clause: str, most: int) -> None:
    finding = found(Volume(), lambda: backend("keep"))[clause]
    assert len(finding.steps) <= most


@Faults
def test_the_machine_finds_and_shrinks(backend: type[Adversary], clause: str, most: int) -> None:
    if backend is CutsObjectIds:
        pytest.skip("a state machine is too slow to draw handles that differ in high bits only")
    finding = found(Machines(), lambda: backend("keep"), scale=0.5)[clause]
    assert len(finding.steps) <= most


STRATEGIES = ("random", "keep", "flush-neighbours", "evict-at-once", "fail-duplicates")


@pytest.mark.parametrize(
    ("strategy", "engine"),
    [
        pytest.param(
            strategy, engine, marks=[pytest.mark.long] * (strategy != "random" and engine.name == "large")
        )
        for strategy in STRATEGIES
        for engine in ENGINES
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_no_alarm_on_what_conforms(engine: Engine, strategy: str) -> None:
    assert found(engine, lambda: Adversary(strategy, seed=3), scale=0.05) == {}


@pytest.mark.parametrize(
    "engine",
    [pytest.param(Volume(), id="volume"), pytest.param(Machines(), marks=pytest.mark.long, id="machine")],
)
def test_a_finding_replays(engine: Engine) -> None:
    finding = found(engine, lambda: ForgetsFlush("keep"), scale=0.5)["TMEM-FLUSH-1"]
    events: list[Event] = []
    engine.replay(Turn("test", lambda number: ForgetsFlush("keep"), 0, events.append), finding.replay)
    again = [event.finding for event in events if isinstance(event, Found)]
    assert [(f.clause, f.steps) for f in again] == [(finding.clause, finding.steps)]
    events.clear()
    engine.replay(Turn("test", lambda number: Adversary("keep"), 0, events.append), finding.replay)
    assert not any(isinstance(event, Found) for event in events)


def test_equal_seeds_give_equal_findings() -> None:
    first, second = (found(Volume(), lambda: CutsObjectIds("keep"), seed=5) for _ in range(2))
    assert first == second


NEVER_BY_VOLUME = {"TMEM-PUT-1", "TMEM-RECLAIM-2", "TMEM-CONC-1", "TMEM-CONC-2", "TMEM-CONC-3"}
"""A store with the strategy `keep` fails no put; one clause is implied; the others need several threads."""


def test_what_a_store_that_keeps_its_pages_exercises() -> None:
    exercised: set[str] = set()
    covered: set[str] = set()

    def emit(event: Event) -> None:
        if isinstance(event, Checked):
            exercised.update(clause for clause, count in event.exercised.items() if count)
        if isinstance(event, Covered):
            covered.update(point for point, count in event.counts.items() if count)

    Volume().run(Turn("test", lambda number: Adversary("keep"), 0, emit, scale=0.3))
    assert {clause.id for clause in CLAUSES.values()} - exercised == NEVER_BY_VOLUME
    assert REQUIRED.keys() - covered == set()


def test_a_store_that_keeps_nothing_misses_coverpoints() -> None:
    covered: set[str] = set()

    def emit(event: Event) -> None:
        if isinstance(event, Covered):
            covered.update(point for point, count in event.counts.items() if count)

    Volume().run(Turn("test", lambda number: Adversary("refuse-puts"), 0, emit, scale=0.1))
    assert "private ephemeral: put stored" in REQUIRED.keys() - covered


class Claiming(Adversary):
    claims = frozenset({"lru", "reclaim-bound", "retain", "regain"})


class TakesTwice(Claiming):
    def reclaim(self, pages: int) -> int:
        return super().reclaim(pages) + super().reclaim(1)


class SharedHitRemoves(Claiming):
    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        page = super().get(client, pool, oid, index)
        if page is not None and not self.pool_flags(client, pool) & 1:
            self.flush_page(client, pool, oid, index)
        return page


class NewestFirst(Claiming):
    def __init__(self) -> None:
        super().__init__(lambda choice, options: options[-1] if choice.name == "VICTIM" else options[0])


class Leaks(Claiming):
    def __init__(self) -> None:
        super().__init__("keep")
        self.room = 100

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        self.room -= 1
        return self.room >= 0 and super().put(client, pool, oid, index, page)


@pytest.mark.parametrize(
    ("make", "claim"),
    [
        (lambda: TakesTwice("keep"), "reclaim-bound"),
        (lambda: SharedHitRemoves("keep"), "retain"),
        (NewestFirst, "lru"),
        (Leaks, "regain"),
    ],
    ids=["reclaim-bound", "retain", "lru", "regain"],
)
def test_a_false_claim_is_found(make: Callable[[], Backend], claim: str) -> None:
    assert claim in found(ClaimChecks(), make, scale=1)


def test_true_claims_raise_no_alarm() -> None:
    # The adversary takes the oldest of each pool in turn, so it does not claim lru.
    assert set(found(ClaimChecks(), lambda: Claiming("keep"), scale=1)) <= {"lru"}


def test_programs_survive_json() -> None:
    for n in range(200):
        program = decode(bytes((n * 37 + k * 101) % 256 for k in range(HEADER + 60)), 256)
        assert from_json(program.to_json()) == program


UNIVERSE = {"oids": [0], "indexes": [0], "clients": [1], "uuids": [1, 2, 3, 4], "buffer": 0, "steps": []}


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"oids": 99},
        UNIVERSE | {"oids": [1 << 192]},
        UNIVERSE | {"uuids": [1]},
        UNIVERSE | {"steps": [[1, 2]]},
    ],
    ids=str,
)
def test_data_that_is_not_a_program_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"program|step"):
        from_json(data)
