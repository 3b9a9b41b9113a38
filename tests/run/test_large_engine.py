"""The engine of large programs: its speed and memory, its stories and replays, and the world it reports."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest

from tests.run.test_large_cases import events, first
from tests.support import large_cases as cases
from tmem.conformance.conforming.plain import Plain
from tmem.conformance.conforming.wrapper import Wrapper
from tmem.conformance.engines.large import full
from tmem.conformance.engines.large.areas import Area, borders
from tmem.conformance.engines.large.perform import PHASE_AT, TURN_AT, Performer
from tmem.conformance.engines.large.phases import Loop, Phase, PoolSpec, Program, Verb, from_json
from tmem.conformance.engines.large.run import Large
from tmem.conformance.events import Event, Found, Note, World
from tmem.conformance.turn import Turn

COUNT = 20_000
POOL = (PoolSpec(1, True),)


def program(*items: Phase | Loop, width: int = 7) -> Program:
    return Program(1, POOL, (Area(width=width),), (Phase(Verb.NEW), *items))


def test_judging_costs_a_few_calls_of_a_store_in_dicts() -> None:
    store, page = Plain(), bytes(4096)
    pool = store.new_pool(1, 0x01000001)
    start = time.process_time()
    for n in range(COUNT):
        store.put(1, pool, n // 7, n % 7, page)
    for n in range(COUNT):
        store.get(1, pool, n // 7, n % 7)
    bare = time.process_time() - start
    performer = Performer(program(Phase(Verb.PUT, count=COUNT), Phase(Verb.GET, count=COUNT)), Plain())
    start = time.process_time()
    assert performer.run() is None
    assert time.process_time() - start < 12 * bare


def test_memory_does_not_grow_with_the_operations() -> None:
    cycle = (Phase(Verb.PUT, first=3), Phase(Verb.GET, first=3), Phase(Verb.FLUSH, first=3))
    performer = Performer(program(Loop(2_000, cycle)), Plain())
    assert performer.run() is None
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(5):
            assert performer.run() is None
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


def test_a_counterexample_reads_as_loops_and_replays() -> None:
    finding = first(cases.EightBits)
    assert finding is not None
    assert [line.partition(" → ")[2] for line in finding.steps] == [
        "1 made",
        "1 stored",
        "256 hit",
        "nothing",
    ]
    assert "256 times" in finding.steps[2]
    again: list[Event] = []
    Large().replay(Turn("test", lambda number: cases.EightBits(), 0, again.append), finding.replay)
    assert [event.finding.steps for event in again if isinstance(event, Found)] == [finding.steps]
    again.clear()
    Large().replay(Turn("test", lambda number: Plain(), 0, again.append), finding.replay)
    assert not any(isinstance(event, Found) for event in again)


def test_a_leak_replays() -> None:
    finding = first(cases.Leaks)
    assert finding is not None
    again: list[Event] = []
    Large().replay(Turn("test", lambda number: cases.Leaks(), 0, again.append), finding.replay)
    assert {event.finding.clause for event in again if isinstance(event, Found)} == {"regain"}


@pytest.mark.parametrize(
    "data",
    [
        *({}, {"program": 3}, {"program": {"seed": 1, "pools": [], "areas": [], "items": [{"verb": "put"}]}}),
        *(
            {"regain": "nothing"},
            {"variant": "x"},
            {"program": {"seed": 1, "pools": 1, "areas": [], "items": []}},
        ),
    ],
)
def test_bad_replay_data_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Large().replay(Turn("test", lambda number: Plain(), 0), data)


def test_what_was_under_way_is_told_as_loops() -> None:
    items = Phase(Verb.PUT, count=97), Loop(500, (Phase(Verb.GET), Phase(Verb.FLUSH)))
    text = program(*items, width=100)
    step = 3 << PHASE_AT | 20 << TURN_AT
    raw = json.dumps(text.to_json()).encode()
    lines = Large().steps(raw, step + 1)
    assert lines[1] == "client 1: put ⟨a, 0, n⟩ for n < 97"
    assert lines[2].startswith("500 times: client 1: get ⟨a, 0, 0⟩; client 1: flush page ⟨a, 0, 0⟩")
    assert lines[2].endswith("in turn 21")
    data = Large().recall(raw, 2)
    assert data["variant"] == 2
    assert from_json(data["program"]) == text


def test_the_world_is_reported() -> None:
    world: dict[str, int] = {}
    for event in events(lambda: Plain(600)):
        if isinstance(event, World):
            for name, count in event.most.items():
                world[name] = max(world.get(name, 0), count)
    assert world["pages"] == 600
    assert world["full"] > 2
    assert world["clients"] >= 20
    assert world["sharers"] == 17
    assert world["pools of a client"] == 300
    assert min(world[n] for n in ("hits of a page", "puts of a slot", "lifetimes of a pool id")) >= 600
    assert world["bytes grown per put and flush"] < 8


class Slow(Wrapper):
    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        time.sleep(0.002)
        return super().put(client, pool, oid, index, page)


@pytest.mark.long
def test_the_work_is_scaled_to_a_slow_target() -> None:
    reported = events(lambda: Slow(Plain()))
    assert any(isinstance(event, Note) and "large programs were cut to" in event.text for event in reported)
    assert not any(isinstance(event, Found) for event in reported)


def test_a_probe_that_was_stopped_knows_no_ephemeral_capacity() -> None:
    looks = iter([False] * 2 + [True] * 99)
    probe = full.probe(9_000, "light", 0)
    performer = Performer(probe, Plain(6_000), stop=lambda: next(looks))
    assert performer.run() is None
    assert performer.stopped
    assert full.capacity(performer).known in (None, 6_000)


def test_borders_of_all_trees() -> None:
    for fanout in (2, 10, 64, 256):
        assert {fanout**2 - 1, fanout**2, fanout**2 + 1} <= set(borders())
