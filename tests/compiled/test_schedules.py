"""Controlled schedules of compiled code: races are found, shrunk, drawn and replayed."""

from __future__ import annotations

import re

import pytest

from tests.compiled.conftest import Build
from tmem.conformance.events import Finding
from tmem.conformance.schedules.explore import Subject, explore, open_library, replay
from tmem.conformance.schedules.search.search import Counts
from tmem.conformance.schedules.threaded.program import from_json

BUDGETS = (None, 4 * 4096)
RACES = range(1, 10)
IN_CPP = (1, 3, 7, 8, 9)
STANDS = (8, 9)
"""The races after which nothing can go on. The others show as wrong pages or as crashes."""


def opened(instrument: Build, *macros: str, source: str = "buckets.c") -> Subject:
    return open_library(instrument(source, *macros), BUDGETS)


def first(subject: Subject, programs: int = 376) -> Finding | None:
    return next(explore(subject, 0, programs), None)


def test_a_store_that_is_right_raises_no_alarm(instrument: Build) -> None:
    subject, counts = opened(instrument), Counts()
    assert list(explore(subject, 0, 12, counts=counts)) == []
    assert counts.schedules > 300
    assert counts.complete >= 9, "the pairs are searched through"
    assert subject.races() == []


@pytest.mark.parametrize("race", [pytest.param(n, marks=[pytest.mark.long] * (n == 9)) for n in RACES])
def test_a_seeded_race_is_found_and_made_small(instrument: Build, race: int) -> None:
    found = first(opened(instrument, f"RACE={race}"))
    assert found is not None
    assert race not in STANDS or "Nothing can go on" in found.message
    program = from_json(found.replay["program"])
    assert len(program.threads) <= 3
    assert sum(map(len, program.threads)) <= 6


def test_a_store_in_cpp_that_is_right_raises_no_alarm(instrument: Build) -> None:
    subject = opened(instrument, source="map.cpp")
    assert list(explore(subject, 0, 12)) == []
    assert subject.races() == []


@pytest.mark.parametrize("race", [pytest.param(n, marks=[pytest.mark.long] * (n != 3)) for n in IN_CPP])
def test_a_race_seeded_into_cpp_is_found(instrument: Build, race: int) -> None:
    found = first(opened(instrument, f"RACE={race}", source="map.cpp"))
    assert found is not None
    assert race not in STANDS or "Nothing can go on" in found.message


def test_a_picture_shows_lines_of_the_source(instrument: Build) -> None:
    found = first(opened(instrument, "RACE=2"))
    assert found is not None
    assert re.search(r"⇢ [\w ]+ at buckets\.c:\d+", found.picture)
    assert re.search(r"^at buckets\.c:\d+ in tmem_\w+$", found.picture, re.M), "the backtrace of the crash"


def test_a_deadlock_names_its_locks(instrument: Build) -> None:
    found = first(opened(instrument, "RACE=8"))
    assert found is not None
    assert "waits for s->pools_lock, held by thread" in found.message


def test_a_finding_is_replayed(instrument: Build) -> None:
    found = first(opened(instrument, "RACE=3"))
    assert found is not None
    assert replay(opened(instrument, "RACE=3"), found.replay) is not None
    assert replay(opened(instrument), found.replay) is None


def test_a_data_race_is_named_by_both_lines(instrument: Build) -> None:
    subject = opened(instrument, "RACE=1")
    first(subject)
    places = {place.partition(" in ")[2] for pair in subject.races() for place in pair}
    assert {"tmem_get", "tmem_put"} <= places
