"""From the account of a run to its verdict and the status of each clause."""

from __future__ import annotations

import itertools

import pytest

from tmem.conformance.coverage import REQUIRED
from tmem.conformance.events import (
    Canary,
    Checked,
    Covered,
    Event,
    Finding,
    Finished,
    Found,
    Note,
    NotOffered,
    Progress,
    Started,
    TurnBegan,
)
from tmem.conformance.report.summary import Summary
from tmem.conformance.report.verdict import Status, Verdict, status, statuses, unseen, verdict
from tmem.spec.clauses import CLAIMS, CLAUSES

BROKEN = Found(Finding("TMEM-PUT-2", "a page that nobody put", "nothing", ("put", "get")))
MISSED = Canary("drop a flush", "TMEM-FLUSH-1", caught=False, operations=10, seconds=0.1)
CAUGHT = Canary("drop a flush", "TMEM-FLUSH-1", caught=True, operations=10, seconds=0.1)
ALL_SEEN = Covered(dict.fromkeys(REQUIRED, 1))
COMPLETE = Finished(complete=True, seconds=1.0)
CUT = Finished(complete=False, seconds=1.0)


def summary(*events: Event) -> Summary:
    made = Summary("impl", 0, "linearizable")
    for event in events:
        made.add(event)
    return made


def test_pass_takes_a_complete_run_that_saw_everything_required() -> None:
    assert verdict(summary(ALL_SEEN, CAUGHT, COMPLETE)) is Verdict.PASS


def test_the_first_that_applies_is_the_verdict() -> None:
    """Every subset of what can go wrong: the verdict is the worst of it, in the order of the table."""
    worst_first = {
        Verdict.FAIL: BROKEN,
        Verdict.INSENSITIVE: MISSED,
        Verdict.UNKNOWN: CUT,
        Verdict.VACUOUS: None,  # nothing was seen
    }
    for size in range(5):
        for wrong in itertools.combinations(worst_first, size):
            events = [event for each in wrong if (event := worst_first[each]) is not None]
            if Verdict.VACUOUS not in wrong:
                events.append(ALL_SEEN)
            if Verdict.UNKNOWN not in wrong:
                events.append(COMPLETE)
            expected = next((each for each in worst_first if each in wrong), Verdict.PASS)
            assert verdict(summary(*events)) is expected


def test_exit_codes_are_those_of_the_contract() -> None:
    codes = {each.name: each.value for each in Verdict}
    assert codes == {"FAIL": 1, "INSENSITIVE": 5, "UNKNOWN": 3, "VACUOUS": 4, "PASS": 0}


@pytest.mark.parametrize("point", REQUIRED)
def test_each_required_coverpoint_decides(point: str) -> None:
    seen = Covered({each: 1 for each in REQUIRED if each != point})
    assert verdict(summary(seen, COMPLETE)) is Verdict.VACUOUS
    assert unseen(summary(seen)) == {point: REQUIRED[point]}


def test_what_is_not_offered_is_not_required() -> None:
    private = Covered(
        {point: 1 for point in REQUIRED if not point.startswith("shared") and point != "reclaim"}
    )
    missing = [NotOffered(what, "EPERM") for what in ("shared ephemeral", "shared persistent", "reclaim")]
    assert verdict(summary(private, COMPLETE)) is Verdict.VACUOUS
    assert verdict(summary(private, *missing[:2], COMPLETE)) is Verdict.VACUOUS
    assert verdict(summary(private, *missing, COMPLETE)) is Verdict.PASS


def test_nothing_done_at_all_is_unknown() -> None:
    assert verdict(summary()) is Verdict.UNKNOWN


def test_the_smallest_counterexample_of_a_clause_is_kept() -> None:
    small = Finding("TMEM-PUT-2", "small", "", ("get",))
    large = Finding("TMEM-PUT-2", "large", "", ("put", "put", "get"))
    other = Finding("TMEM-GET-2", "other", "", ("put", "get", "get"))
    made = summary(Found(large), Found(small), Found(large), Found(other))
    assert made.findings == {"TMEM-PUT-2": small, "TMEM-GET-2": other}


def test_what_can_be_run_again_surely_is_preferred() -> None:
    raced = Finding("TMEM-CONC-3", "raced", "", ("a crowd",), {"engine": "stress", "round": 3})
    whole = Finding("TMEM-CONC-3", "whole", "", ("put", "get"), {"engine": "volume", "program": {}})
    for events in ((raced, whole), (whole, raced)):
        assert summary(*map(Found, events)).findings["TMEM-CONC-3"] == whole


def test_statuses() -> None:
    made = summary(
        BROKEN,
        Checked({"TMEM-PUT-2": 5, "TMEM-PUT-3": 5, "TMEM-PUT-1": 5}, {"TMEM-PUT-2": 5, "TMEM-PUT-3": 1}),
        Checked({"TMEM-PUT-3": 2}, {"TMEM-PUT-3": 1}),
        NotOffered("shared persistent", "EPERM", ("TMEM-SHARE-2",)),
    )
    assert status(made, "TMEM-PUT-2") is Status.FAILED
    assert status(made, "TMEM-PUT-3") is Status.PASSED
    assert (made.checks["TMEM-PUT-3"], made.exercised["TMEM-PUT-3"]) == (7, 2)
    assert status(made, "TMEM-PUT-1") is Status.NOT_EXERCISED
    assert status(made, "TMEM-SHARE-2") is Status.NOT_OFFERED
    assert status(made, "TMEM-RECLAIM-2") is Status.IMPLIED
    assert status(made, "TMEM-CONC-1") is Status.NOT_CHECKED


def test_what_was_exercised_all_the_same_is_not_called_not_offered() -> None:
    made = summary(NotOffered("shared persistent", "", ("TMEM-SHARE-2",)), Checked({}, {"TMEM-SHARE-2": 1}))
    assert status(made, "TMEM-SHARE-2") is Status.PASSED


def test_every_clause_has_a_status_and_so_has_every_claim_that_is_made() -> None:
    started = Started("impl", 0, "linearizable", 4096, (), ("lru",))
    assert list(statuses(summary(started))) == [*CLAUSES, "lru"]
    assert not CLAIMS.keys() & statuses(summary()).keys()


def test_the_account_adds_up() -> None:
    made = summary(
        TurnBegan("volume", "", 0.5),
        Progress(operations=10, programs=1),
        Progress(operations=5, schedules=2, histories=3),
        TurnBegan("volume", "", 0.5),
        Note("a"),
        Note("a"),
    )
    assert (made.operations, made.programs, made.schedules, made.histories) == (15, 1, 2, 3)
    assert made.engines == ["volume"]
    assert made.notes == ["a"]
    assert made.totals == "15 operations, 1 programs, 2 schedules, 3 histories"
