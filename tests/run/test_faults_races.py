"""Every race of the catalogue is found by controlled schedules, and every hang or crash is reported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from tmem.conformance.engines.volume import Volume
from tmem.conformance.events import Found
from tmem.conformance.faults import FAULTS, Fault, targets
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.schedules.explore import explore, open_subject
from tmem.conformance.schedules.portfolio import PROGRAMS


def kind(name: str) -> list[Fault]:
    return [known for known in FAULTS.values() if known.kind == name]


SLOW = {"flush-object-twice", "put-links-twice", "flush-object-by-page", "waits-for-readers"}
"""Races that take two seconds or more to find."""
HANGS = ("lock-kept-on-refused-put", "full-object-put-spins")
"""A hang that waits and one that computes: the others differ in where they hang."""


def marked(faults: list[Fault], long: Callable[[str], bool]) -> list[object]:
    return [pytest.param(each, id=each.name, marks=[pytest.mark.long] * long(each.name)) for each in faults]


@pytest.mark.parametrize("known", marked(kind("races"), SLOW.__contains__))
def test_every_race_is_found(known: Fault) -> None:
    subject = open_subject(targets.__name__, known.name.replace("-", "_"))
    assert not subject.notes, "all its threads are under control"
    found = next(explore(subject, 0, PROGRAMS), None)
    assert found is not None, f"{known.name} was not found"
    assert found.clause in known.clauses


@pytest.mark.parametrize("known", marked(kind("liveness"), lambda name: name not in HANGS))
def test_every_hang_is_reported(known: Fault) -> None:
    request = Request(f"py:{targets.__name__}:{known.name.replace('-', '_')}", hang_after=1.0, shrink=0.0)
    with closing(check(request, engines=(Volume(),))) as events:
        found = next((event.finding for event in events if isinstance(event, Found)), None)
    assert found is not None, f"{known.name} was not noticed"
    assert found.clause in known.clauses
    assert "does not return" in found.message or "ends the process" in found.message
