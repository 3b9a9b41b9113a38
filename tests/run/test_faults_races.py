"""Every race of the catalogue is found by controlled schedules, and every hang or crash is reported."""

from __future__ import annotations

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


@pytest.mark.parametrize("known", kind("races"), ids=lambda known: known.name)
def test_every_race_is_found(known: Fault) -> None:
    subject = open_subject(targets.__name__, known.name.replace("-", "_"))
    assert not subject.notes, "all its threads are under control"
    found = next(explore(subject, 0, PROGRAMS), None)
    assert found is not None, f"{known.name} was not found"
    assert found.clause in known.clauses


@pytest.mark.parametrize("known", kind("liveness"), ids=lambda known: known.name)
def test_every_hang_is_reported(known: Fault) -> None:
    request = Request(f"py:{targets.__name__}:{known.name.replace('-', '_')}", hang_after=1.0, shrink=0.0)
    with closing(check(request, engines=(Volume(),))) as events:
        found = next((event.finding for event in events if isinstance(event, Found)), None)
    assert found is not None, f"{known.name} was not noticed"
    assert found.clause in known.clauses
    assert "does not return" in found.message or "ends the process" in found.message
