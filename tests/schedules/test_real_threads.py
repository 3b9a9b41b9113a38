"""Schedules on real threads, for stores over libraries in C that lock, or that know their thread."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from dataclasses import replace

import pytest

from tmem.conformance.history.exhaustive import violation_in
from tmem.conformance.schedules.explore import explore, explore_one, open_subject, replay
from tmem.conformance.schedules.portfolio import PAIRS, Choice
from tmem.conformance.schedules.runtime import real_threads, watchdog
from tmem.conformance.schedules.runtime.outside import is_blocked, sleeps, stays_blocked, waits_for_gil
from tmem.conformance.schedules.runtime.scheduler import scheduler
from tmem.conformance.schedules.runtime.strategies import Sticky
from tmem.conformance.schedules.runtime.virtual import NeverPreempt
from tmem.conformance.schedules.runtime.watchdog import watched
from tmem.conformance.schedules.search.executor import Executor
from tmem.conformance.schedules.search.search import Counts
from tmem.conformance.schedules.search.subject import Subject
from tmem.conformance.schedules.threaded.program import EPHEMERAL, Program, draw, number
from tmem.spec.handle import Handle
from tmem.spec.operations import FlushPage, Get, NewPool, Put
from tools.races import STORE

SLOT = Handle(0, 7, 0)
FILLED = (NewPool(1, EPHEMERAL), Put(1, SLOT, number(1)))
PROGRAMS = (
    Program(FILLED, ((Get(1, SLOT),), (Get(1, SLOT),))),
    Program(FILLED, ((Put(1, SLOT, number(2)),), (Get(1, SLOT), Put(1, SLOT, number(3))))),
    Program(FILLED, ((Put(1, SLOT, number(2)),), (FlushPage(1, SLOT),), (Get(1, SLOT),))),
)


def chosen(subject: Subject, seed: int, place: int, draws: random.Random) -> Choice:
    return Choice(PROGRAMS[place], PAIRS)


def opened(library: str, store: str) -> Subject:
    pytest.importorskip(library)
    return open_subject(f"tests.schedules.foreign.in_{library.removesuffix('3')}", store)


def test_an_execution_is_the_same_on_greenlets_and_on_real_threads() -> None:
    subject = open_subject(STORE, "factory")
    for seed in range(10):
        program = draw(random.Random(seed), 3, 3, reclaims=True)
        results = []
        for real in (False, True):
            backends = replace(subject.backends("statement", 0), real_threads=real)
            with watched(real):
                done = Executor(backends, program, 64).execute(Sticky(seed, 8.0), trace=True)
            marks = [(mark.kind, mark.thread, mark.place) for mark in done.trace or ()]
            results.append((done.order, list(map(repr, done.answers)), done.preemptions, done.points, marks))
        assert results[0] == results[1]


@pytest.mark.parametrize("library", ["lmdb", "sqlite3"])
def test_a_sound_store_over_a_library_that_locks_raises_no_alarm(library: str) -> None:
    subject, counts = opened(library, "factory"), Counts()
    assert subject.real_threads
    assert list(explore(subject, 0, len(PROGRAMS), counts=counts, chooser=chosen)) == []
    assert counts.schedules > 50


def test_without_real_threads_lmdb_would_raise_a_false_alarm() -> None:
    subject = replace(opened("lmdb", "factory"), real_threads=False)
    found = explore_one(subject, 0, 1, violation_in, Counts(), chooser=chosen)
    assert found is not None
    assert "on the same thread" in found.message


@pytest.mark.parametrize("library", ["lmdb", "sqlite3"])
def test_a_race_over_a_library_that_locks_is_found_and_replayed(library: str) -> None:
    subject = opened(library, "racy")
    found = next(explore(subject, 0, len(PROGRAMS), chooser=chosen))
    assert found.clause == "TMEM-GET-2"
    assert "⇢ thread" in found.picture
    again = replay(subject, found.replay)
    assert again is not None
    assert again.clause == found.clause
    assert replay(opened(library, "factory"), found.replay) is None


def test_a_thread_that_waits_for_a_lock_is_blocked_and_one_that_computes_is_not() -> None:
    lock, over = threading.Lock(), threading.Event()
    lock.acquire()

    def compute() -> None:
        while not over.is_set():
            sum(range(1000))

    waits = threading.Thread(target=lock.acquire, daemon=True)
    computing = [threading.Thread(target=compute, daemon=True) for _ in range(3)]
    waits.start()
    try:
        assert waits.native_id is not None
        while not is_blocked(waits.native_id):
            pass
        for thread in computing:
            thread.start()
        natives = [thread.native_id or 0 for thread in computing]
        # Two of three that compute wait for the GIL at any time.
        assert any(waits_for_gil(native) for _ in range(2000) for native in natives)
        assert not waits_for_gil(waits.native_id)
        assert not any(is_blocked(native) for _ in range(20) for native in natives)
    finally:
        over.set()
        lock.release()


def test_a_thread_that_sleeps_for_a_time_must_have_tried_once_more_to_count_as_blocked() -> None:
    tries = []

    def poll() -> None:
        while len(tries) < 3:
            time.sleep(0.05)
            tries.append(len(tries))

    polls = threading.Thread(target=poll, daemon=True)
    polls.start()
    assert polls.native_id is not None
    while not is_blocked(polls.native_id):
        pass
    before = len(tries)
    if stays_blocked(polls.native_id, sleeps(polls.native_id), lambda: len(tries) == 3):
        assert len(tries) > before


def test_workers_are_used_again() -> None:
    subject = open_subject(STORE, "factory")
    backends = replace(subject.backends("lock", 0), real_threads=True)
    with watched(True):
        for _ in range(20):
            Executor(backends, PROGRAMS[2], 64).execute(Sticky(1, 4.0))
    assert len(real_threads._idle) < 20


def test_the_watchdog_keeps_no_reference_to_a_thread_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise it would run finalizers of the target, in the middle of a later execution.
    looks = []

    def progress() -> tuple[int, int, int, int]:
        looks.append(threading.get_ident())
        return len(looks), 0, 0, 0

    monkeypatch.setattr(watchdog, "progress", progress)
    with watched(True):
        scheduler.begin(NeverPreempt(), 100, real_threads=True)
        try:
            alone = sys.getrefcount(scheduler.main)
            while len(looks) < 3:
                os.stat(".")  # the watchdog gets the GIL
            watched_too = sys.getrefcount(scheduler.main)
            assert watched_too == alone
        finally:
            scheduler.end()
