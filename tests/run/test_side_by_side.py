"""Equal seeds give equal runs, however many workers there are."""

from __future__ import annotations

import pytest

from tests.run.short_run import SUPPORT, VOLUME
from tmem.conformance.engines import ENGINES
from tmem.conformance.events import Event, Found, Worked
from tmem.conformance.report.summary import Summary
from tmem.conformance.run.check import check
from tmem.conformance.run.request import Request
from tmem.conformance.run.side_by_side import share_out


def test_equal_seeds_give_equal_runs() -> None:
    def reported(seed: int) -> list[Event]:
        return list(check(Request("model:random", seed, scale=0.01), VOLUME))[:-1]

    assert reported(1) == reported(1) != reported(2)


@pytest.mark.long
def test_workers_side_by_side_find_the_same() -> None:
    def found(jobs: int) -> dict[str, object]:
        target = f"py:{SUPPORT / 'hostile.py'}:answers_none_to_put"
        engines = tuple(each for each in ENGINES if each.name in ("machine", "volume", "schedules"))
        events = list(check(Request(target, 3, scale=0.05, jobs=jobs), engines))
        findings = sorted(str(event.finding) for event in events if isinstance(event, Found))
        work = [event.done for event in events if isinstance(event, Worked)]
        totals = Summary(target, 3, "linearizable")
        for event in events:
            totals.add(event)
        return {
            "findings": findings,
            "work": work,
            "totals": (totals.totals, totals.checks, totals.points),
            "summary": {clause: str(each) for clause, each in totals.findings.items()},
        }

    one = found(1)
    assert one["findings"]
    assert found(2) == one
    assert found(3) == one


def test_engines_are_distributed_by_the_time_that_they_take() -> None:
    groups = share_out(ENGINES, 2)
    assert sorted(each.name for group in groups for each in group) == sorted(each.name for each in ENGINES)
    assert all(0.3 < sum(each.share for each in group) < 0.7 for group in groups)
    assert [len(group) for group in share_out(ENGINES, 100)] == [1] * len(ENGINES)
