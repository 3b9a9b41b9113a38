"""From the account of a run to its verdict, and to the status of each clause."""

from __future__ import annotations

from enum import Enum
from typing import Final

from tmem.conformance.coverage import applicable
from tmem.conformance.report.summary import Summary
from tmem.spec.clauses import CLAIMS, CLAUSES

USAGE: Final = 2
"""The exit code where there is no verdict: the target cannot be used, or the suite itself failed."""


class Verdict(Enum):
    """What a run says of its target; the value is the exit code. The first that applies is the verdict."""

    FAIL = 1
    INSENSITIVE = 5
    UNKNOWN = 3
    VACUOUS = 4
    PASS = 0


class Status(Enum):
    """What a run says of one clause."""

    PASSED = "passed"
    FAILED = "failed"
    SEEN_ONCE = "seen once"
    """A violation was seen, and did not come again when it was replayed."""
    WAIVED = "waived"
    """It is known to be broken, and that is accepted for a reason."""
    IN_PART = "checked in part"
    """The engine that looks for races could not do all of its work on this target."""
    NOT_OFFERED = "not offered"
    """The target does not offer what the clause is about."""
    NOT_EXERCISED = "not exercised"
    """Nothing was done that a wrong backend could have broken the clause with."""
    NOT_CHECKED = "not checked"
    """No engine looks at it yet."""
    IMPLIED = "implied"
    """It follows from other clauses."""


def verdict(summary: Summary) -> Verdict:
    """The verdict of a run."""
    if summary.violations or (summary.races and summary.races_fail):
        return Verdict.FAIL
    if any(not canary.caught for canary in summary.canaries):
        return Verdict.INSENSITIVE
    if not summary.complete or summary.not_done or summary.seen_once:
        return Verdict.UNKNOWN
    if unseen(summary):
        return Verdict.VACUOUS
    return Verdict.PASS


def unseen(summary: Summary) -> dict[str, str]:
    """The required coverpoints that were never reached, each with what was never seen."""
    points = applicable(summary.not_offered)
    return {point: text for point, text in points.items() if not summary.points[point]}


def status(summary: Summary, clause: str) -> Status:
    """What the run says of a clause, or of a claim that the target makes."""
    if clause in summary.waived:
        return Status.WAIVED
    if clause in summary.seen_once:
        return Status.SEEN_ONCE
    if clause in summary.findings:
        return Status.FAILED
    if summary.exercised[clause]:
        return Status.IN_PART if clause.startswith("TMEM-CONC-") and summary.not_done else Status.PASSED
    if any(clause in missing.clauses for missing in summary.not_offered.values()):
        return Status.NOT_OFFERED
    if clause in CLAUSES and CLAUSES[clause].implied:
        return Status.IMPLIED
    # These have engines of their own: without checks, the run ended before it came to them.
    if clause in CLAIMS or clause.startswith("TMEM-CONC-"):
        return Status.NOT_CHECKED
    return Status.NOT_EXERCISED


def statuses(summary: Summary) -> dict[str, Status]:
    """The status of every clause, and of every claim that the target makes or broke, in order."""
    ids = [*CLAUSES, *(claim for claim in CLAIMS if claim in (*summary.claims, *summary.findings))]
    ids += [clause for clause in summary.findings if clause not in ids]
    return {clause: status(summary, clause) for clause in ids}
