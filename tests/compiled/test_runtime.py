"""The runtime for controlled schedules: locks, threads, time and memory, and how calls end."""

from __future__ import annotations

import pytest

from tests.compiled.conftest import Build
from tmem.conformance.compiled.store import ReclaimingStore, open_store
from tmem.conformance.schedules.native.machine import CRASH, Machine
from tmem.conformance.schedules.runtime import watchdog
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.virtual import NeverPreempt, Stuck
from tmem.conformance.schedules.runtime.watchdog import REAL, watched

NAMES = (
    *("mutexes", "times", "conditions", "rwlocks", "spinning", "semaphores", "storage", "c11", "memory"),
    *(
        "overflows",
        "never",
        "stands",
        "deadlocks",
        "blocks",
        "asserts",
        "frees_twice",
        "uses_freed",
        "segfaults",
        "exits",
    ),
)


@pytest.fixture(scope="module")
def machine(instrument: Build) -> Machine:
    return Machine(instrument("primitives.c"))


def tried(machine: Machine, name: str) -> int:
    """The line where something is wrong; 0 where nothing is."""
    with watched():
        scheduler.begin(NeverPreempt(), 10_000)
        try:
            machine.begin(accesses=True)
            store = open_store(machine.calls)
            assert isinstance(store, ReclaimingStore)
            return store.reclaim(NAMES.index(name))
        finally:
            scheduler.end()


@pytest.mark.parametrize("name", NAMES[:9])
def test_it_does_what_libc_does_twice(machine: Machine, name: str) -> None:
    assert tried(machine, name) == 0
    assert tried(machine, name) == 0  # variables, locks and memory are as new


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("overflows", "ends the process by SIGSEGV at primitives.c:.* in recurses"),
        ("asserts", "SIGABRT: .*primitives.c:.*: asserts: the assertion failed: the moon is made of cheese"),
        ("frees_twice", "SIGABRT: memory is freed twice"),
        ("uses_freed", "SIGABRT: memory is used after it was freed"),
        ("segfaults", "ends the process by SIGSEGV at primitives.c:.* in segfaults"),
        ("exits", "ends the process with exit code 3"),
    ],
)
def test_the_end_of_the_process_ends_the_execution_alone(machine: Machine, name: str, said: str) -> None:
    with pytest.raises(Stuck, match=said) as ended:
        tried(machine, name)
    assert ended.value.kind == CRASH
    assert "at primitives.c:" in ended.value.details
    assert tried(machine, "mutexes") == 0


def test_a_spin_that_nobody_can_end_is_a_livelock(machine: Machine) -> None:
    with pytest.raises(Stuck, match="still goes on"):
        tried(machine, "never")


def test_a_deadlock_says_who_holds_the_lock(machine: Machine) -> None:
    with pytest.raises(Stuck, match="main waits for a lock, held by itself"):
        tried(machine, "deadlocks")


@pytest.mark.parametrize(("name", "where"), [("stands", "stands"), ("blocks", "blocks")])
def test_what_cannot_be_controlled_is_noticed(
    machine: Machine, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PATIENCE", 0.2)
    with pytest.raises(Stuck, match=f"is reached in primitives.c:.* in {where}: a real call") as ended:
        tried(machine, name)
    assert ended.value.kind == REAL
