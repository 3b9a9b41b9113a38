"""Exploring schedules: what is found, how it shrinks, how it is repeated, and what cannot be controlled."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers, randoms

from tmem.conformance.schedules.explore import LEVELS, Subject, explore, open_subject, replay
from tmem.conformance.schedules.portfolio import PROGRAMS, mixed, systematic
from tmem.conformance.schedules.runtime import watchdog as watch
from tmem.conformance.schedules.runtime.strategies import Follow
from tmem.conformance.schedules.runtime.virtual import Preemption
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Counts, Exploration, Search, StandsStillError
from tmem.conformance.schedules.threaded.program import EPHEMERAL, Program, draw, from_json, number
from tmem.spec.handle import Handle
from tmem.spec.operations import Get, NewPool, Put
from tools.races import RACES, STORE, race

SOUND = {level: open_subject(STORE, "factory").backends(level, 0) for level in LEVELS}


def broken(name: str) -> Subject:
    return open_subject(STORE, "factory", rewrite={"store": RACES[name].rewrite})


def size(data: object) -> tuple[int, int]:
    """Threads and operations, those of the setup included, of a finding's program; pools are not counted."""
    assert isinstance(data, dict)
    program = from_json(data["program"])
    pools = len(program.pools)
    return len(program.threads), len(list(program.operations)) - pools


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", RACES)
def test_every_race_is_found_and_shrunk(name: str, seed: int) -> None:
    found = next(explore(broken(name), seed, programs=200), None)
    assert found is not None
    assert found.clause in RACES[name].clauses
    threads, operations = size(found.replay)
    assert threads <= 3
    assert operations <= 6


@pytest.mark.parametrize("seed", [pytest.param(17, marks=pytest.mark.long), 18])
def test_a_livelock_ends_at_the_same_point_again_and_is_shrunk(seed: int) -> None:
    subject = open_subject("tmem.conformance.faults.targets", "waits_for_readers")
    found = next(explore(subject, seed, PROGRAMS))  # it would raise, were it not repeated exactly
    assert found.clause == "TMEM-CONC-3"
    preemptions = found.replay["preemptions"]
    assert isinstance(preemptions, list)
    assert len(preemptions) < 20


def test_the_sound_store_raises_no_alarm() -> None:
    counts = Counts()

    def progress(now: Counts) -> None:
        nonlocal counts
        counts = now

    assert list(explore(open_subject(STORE, "factory"), 3, programs=60, progress=progress)) == []
    assert counts.programs == 60
    assert counts.schedules > 1_500
    assert counts.histories > 400


@pytest.mark.parametrize("name", ["torn page", "lock order", "put against destroy"])
def test_a_finding_is_repeated_from_its_data_every_time(name: str) -> None:
    subject = broken(name)
    found = next(explore(subject, 5, programs=200))
    data = json.loads(json.dumps(found.replay))
    for _ in range(100):
        again = replay(subject, data)
        assert again is not None
        assert (again.clause, again.steps, again.picture) == (found.clause, found.steps, found.picture)
    assert replay(open_subject(STORE, "factory"), data) is None


def test_equal_seeds_give_equal_findings() -> None:
    subject = broken("reclaim against get")
    one, two = (list(explore(subject, 11, programs=40)) for _ in range(2))
    assert one == two != []


def both(*operations: Put | Get) -> Program:
    return Program((NewPool(1, EPHEMERAL),), ((operations[0],), (operations[1],)))


def test_bounded_search_runs_every_schedule_once() -> None:
    # Two threads of one put each, at lock points: all interleavings with up to two preemptions.
    subject = open_subject(STORE, "factory")
    slot = Handle(0, 7, 0)
    program = both(Put(1, slot, number(1)), Put(1, slot, number(2)))
    search = Search(Executor(subject.backends("lock", 0), program, subject.page_size))
    seen = [each.preemptions for each in search.bounded(2, 10_000)]
    assert search.counts.complete == 1
    assert len(seen) == len(set(seen)) > 50
    # The same by brute force: an execution for every pair of places, and what really happened there.
    places = [Preemption(thread, 0, point, 1 - thread) for thread in (0, 1) for point in range(1, 12)]
    starts = ((), (Preemption(-1, 0, 1, 1),))
    plans = [(*start, *pair) for start in starts for pair in product(places, places)]
    tried = {search.execute(Follow(plan)).preemptions for plan in (*starts, *plans)}
    assert tried == set(seen)


def test_a_round_has_room_for_all_pairs_and_scripts() -> None:
    subject = replace(open_subject(STORE, "factory"), shared=True)
    listed = systematic(0, reclaims=True, shared=True)
    chosen = [mixed(subject, 0, n, random.Random(0)).program for n in range(PROGRAMS)]
    assert len(listed) > 400
    assert all(each.program in chosen for each in listed)


def test_bound_two_is_completed_for_programs_of_two_threads_by_three_operations() -> None:
    subject = open_subject(STORE, "factory")
    for seed in range(5):
        program = draw(random.Random(seed), 2, 3, reclaims=True)
        search = Search(Executor(subject.backends("lock", 0), program, subject.page_size))
        assert search.first(Exploration(bound=2, most=20_000), seed) is None
        assert search.counts.complete == 1


def changed(*changes: tuple[str, str]) -> Subject:
    return open_subject(STORE, "factory", rewrite={"store": race("", *changes).rewrite})


IMPORTS = "import threading\n"
RECLAIM = "        gone = 0\n"


def test_choices_that_schedules_do_not_decide_are_counted_and_are_no_findings() -> None:
    chance = f"{RECLAIM}        if os.urandom(1) < b'\\x80':\n            return 0\n"
    subject = changed((IMPORTS, "import os\n" + IMPORTS), (RECLAIM, chance))
    counts = Counts()
    assert list(explore(subject, 1, programs=40, counts=counts)) == []
    assert 0 < counts.astray < counts.schedules


def test_random_choices_of_the_target_are_controlled() -> None:
    chance = f"{RECLAIM}        if random.random() < 0.5:\n            return 0\n"
    subject = changed((IMPORTS, "import random\n" + IMPORTS), (RECLAIM, chance))
    assert list(explore(subject, 1, programs=40)) == []


def test_what_is_done_at_the_first_use_alone_is_no_matter_of_chance() -> None:
    late = "        import colorsys\n        if not hasattr(Frame, 'seen'):\n            Frame.seen = []\n"
    assert list(explore(changed((RECLAIM, RECLAIM + late)), 1, programs=20)) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(randoms(use_true_random=False), integers(0, 1 << 32))
def test_no_schedule_of_any_program_breaks_the_sound_store(draws: random.Random, seed: int) -> None:
    program = draw(draws, 3, 4, reclaims=True)
    for level, target in SOUND.items():
        search = Search(Executor(target, program, 64))
        assert search.first(Exploration(sticky=4, pct=2), seed) is None, level


POOL_LOCK = "        self.lock = threading.Lock()\n        self.persistent"
REAL_LOCK = (
    (IMPORTS, "import multiprocessing\n" + IMPORTS),
    (
        "        self.lock = threading.Lock()\n        self.persistent",
        "        self.lock = multiprocessing.Lock()\n        self.persistent",
    ),
)
"""Pools lock outside Python: real threads carry the virtual ones, and one that waits there is passed over."""


def test_threads_that_wait_for_a_real_lock_are_passed_over() -> None:
    subject = changed(*REAL_LOCK)
    assert subject.real_threads
    counts = Counts()
    assert list(explore(subject, 1, programs=8, counts=counts)) == []
    assert counts.astray < counts.schedules / 4


def test_a_call_that_really_waits_is_noticed_on_greenlets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.3)
    monkeypatch.setattr("tmem.conformance.schedules.explore.AVAILABLE", False)
    subject = replace(changed(*REAL_LOCK), real_threads=False)
    expected = r"no switch point is reached after store.py:\d+: a real call waits"
    with pytest.raises(StandsStillError, match=expected):
        list(explore(subject, 1, programs=40))


def test_a_thread_of_the_target_that_dies_is_a_finding() -> None:
    made = "        self.order = Order(self.page_size)\n"
    subject = changed(
        (made, f"{made}        threading.Thread(target=self.watch, name='watcher').start()\n"),
        (
            "    def close(self) -> None:\n",
            """\
    def watch(self):
        for pool in self.pools.values():
            for oid in pool.objects:
                len(pool.objects[oid])

    def close(self) -> None:
""",
        ),
    )
    found = next(explore(subject, 1, programs=100), None)
    assert found is not None
    assert found.clause == "TMEM-CONC-3"
    assert found.message.startswith("watcher ended with")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"level": "opcode"}, "level, variant or preemptions"),
        ({"preemptions": [[1, 2, 3]]}, r"\[1, 2, 3\] is not a preemption: thread, operation, point, to"),
        ({"program": None}, "the program is not an object"),
        ({"program": {"setup": [], "threads": [[["get", 1, 0, 7, 0]]]}}, "the program has no pool 0"),
        ({"program": {"setup": [["fly"]], "threads": []}}, "is not an operation"),
    ],
)
def test_data_that_is_no_finding_is_told(change: dict[str, object], said: str) -> None:
    subject = open_subject(STORE, "factory")
    data: dict[str, object] = {
        "level": "lock",
        "variant": 0,
        "program": {"setup": [], "threads": [[]]},
        "preemptions": [],
    }
    assert replay(subject, data) is None
    with pytest.raises(ValueError, match=said):
        replay(subject, data | change)
