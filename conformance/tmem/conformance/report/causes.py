"""Which findings may have one cause, so that a reader meets one story instead of a dozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tmem.conformance.events import Finding
from tmem.conformance.report.summary import rank

SHARING = "TMEM-SHARE-"


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding that is reported in full, and others that may have the same cause."""

    finding: Finding
    others: tuple[Finding, ...] = ()


def causes(findings: Iterable[Finding]) -> list[Cause]:
    """Group findings by what their counterexamples need.

    A counterexample is small: what it holds, it needs. A store that mixes up the users of shared pools breaks
    many clauses, each in a program with a shared pool. So where a clause on sharing is broken, all findings
    that need a shared pool are grouped under it, the smallest counterexample first.
    """
    known = list(findings)
    needs = [each for each in known if any("SHARED" in step for step in each.steps)]
    heads = [each for each in needs if each.clause.startswith(SHARING)]
    if not heads:
        return [Cause(each) for each in known]
    head = min(heads, key=rank)
    others = tuple(each for each in known if each in needs and each is not head)
    alone = [Cause(each) for each in known if each not in needs]
    return [Cause(head, others), *alone]
