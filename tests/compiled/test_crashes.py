"""A library that ends the process: a finding with the operations, and where in the source that was."""

from __future__ import annotations

import pytest

from tests.compiled.conftest import Build
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Found
from tmem.conformance.run.check import Request, check

VOLUME = [engine for engine in ENGINES if engine.name == "volume"]


@pytest.mark.parametrize(("number", "signal"), [(11, "SIGSEGV"), (6, "SIGABRT")])
def test_a_crash_has_operations_and_a_backtrace(build: Build, number: int, signal: str) -> None:
    request = Request(f"so:{build('buckets.c', f'ENDS={number}')}", scale=0.02, shrink=0.0)
    found = [event.finding for event in check(request, VOLUME) if isinstance(event, Found)]
    (crash,) = (each for each in found if each.clause == "TMEM-CONC-3")
    assert signal in crash.message
    assert "put" in crash.steps[-1]
    assert "buckets.c:" in crash.picture
    assert "in tmem_put" in crash.picture
    assert "beyond 128 bits" in crash.picture, "what it wrote to stderr is kept"
