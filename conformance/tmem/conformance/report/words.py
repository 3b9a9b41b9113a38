"""A violation in five lines: the call, its answer, the clause against it, what is allowed, the replay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

from tmem.conformance.events import AFTER, BEFORE, BROKEN, CALLS, Finding
from tmem.conformance.report.diagram import Bar, bars, moments

_SWITCH: Final = re.compile("⇢ .+ at (.+)")
MOST: Final = 2
"""Pairs of overlapping calls that are named."""


class Line(NamedTuple):
    """One line: what it is about, and what it says."""

    about: str
    says: str


def lines(finding: Finding, replay: Path | None = None) -> tuple[Line, ...]:
    """The five lines; without a replay file there is no last one.

    >>> found = Finding("TMEM-GET-1", "It came back.", "a miss", ("put A → True", "get → A"))
    >>> for line in lines(found, Path("again.json")): print(*line)
    called #2 get
    answered A
    forbidden TMEM-GET-1: It came back.
    allowed a miss
    again tmem replay again.json
    """
    called, answered = _call(finding)
    again = [] if replay is None else [Line("again", f"tmem replay {replay}")]
    return (
        Line("called", called),
        Line("answered", answered),
        Line("forbidden", f"{finding.clause}: {finding.message}"),
        Line("allowed", finding.allowed),
        *again,
    )


def _call(finding: Finding) -> tuple[str, str]:
    drawn = bars(moments(finding))
    broken = next((bar for bar in reversed(drawn) if bar.broken), drawn[-1] if drawn else None)
    if broken is None:
        return "nothing", "nothing"
    answer = _plain(broken.answer) or "nothing"
    if broken.lane == CALLS:
        return _plain(broken.call), answer
    if broken.lane not in (BEFORE, AFTER):
        others = [bar for bar in drawn if bar.lane != broken.lane and _overlap(bar, broken)]
        meanwhile = f", while {_together(others)} was under way" if others else ""
        return f"{_who(broken)}{meanwhile}{_stopped(finding)}", answer
    pairs = [(a, b) for a, b in combinations(drawn, 2) if a.lane != b.lane and _overlap(a, b)]
    overlapped = "; ".join(f"{_who(a)} had overlapped {_who(b)}" for a, b in pairs[:MOST])
    before = f": {overlapped}" if pairs else ""
    return f"{_plain(broken.call)}, {broken.lane} the threads{before}{_stopped(finding)}", answer


def _stopped(finding: Finding) -> str:
    """Where the first thread was stopped for another one; empty where none was."""
    for moment in finding.timeline:
        if (found := _SWITCH.fullmatch(moment.text)) is not None:
            return f"; {moment.lane} was stopped at {found[1]}"
    return ""


def _overlap(one: Bar, other: Bar) -> bool:
    return one.begin < other.end and other.begin < one.end


def _who(bar: Bar) -> str:
    return f"{bar.lane}: {bar.call}"


def _together(some: Sequence[Bar]) -> str:
    return " and ".join(map(_who, some))


def _plain(answer: str) -> str:
    return answer.replace(BROKEN, "").strip()
