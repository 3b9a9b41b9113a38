"""A timeline as a space-time diagram in SVG: a lane for each thread, bars for operations, time downwards.

What was called before the threads began, and after they had ended, has a bar across all lanes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from tmem.conformance.events import AFTER, BEFORE, BROKEN, CALLS, Finding, Moment

ROW: Final = 20
"""Pixels of a moment."""
HEAD: Final = 30
"""Pixels above the first one, for the names of the lanes."""
LETTER: Final = 7.3
"""Pixels of a letter, which is one of a monospaced font of 12 pixels."""
NARROW, WIDE, WHOLE = 150, 240, 900
"""The least pixels of a lane, the most where there are many lanes, and the most of all of them. A text that
is longer is cut; all of it is in the title."""
EDGE: Final = 8
"""Pixels between the left edge of a lane and its bars."""
LONGEST: Final = 400
"""Moments that are drawn at the most."""
_ACROSS: Final = (BEFORE, AFTER)
_WHOLE: Final = (*_ACROSS, CALLS)
"""Lanes whose moments are whole operations."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An operation: its lane, the rows of its begin and end, its call and answer, what its slot may hold."""

    lane: str
    begin: int
    end: int
    call: str
    answer: str
    holds: str = ""

    @property
    def broken(self) -> bool:
        """Whether it is the operation that breaks the contract."""
        return BROKEN in self.answer or BROKEN in self.call

    @property
    def words(self) -> str:
        """All of it, for a reader who cannot see the diagram."""
        breaks = ", which breaks the contract" if self.broken else ""
        who = "" if self.lane == CALLS else f"{self.lane}: "
        what = f"{who}{self.call} → {self.answer.replace(BROKEN, '').strip()}{breaks}"
        return f"{what}. {self.holds}" if self.holds else what


def moments(finding: Finding) -> tuple[Moment, ...]:
    """The timeline of a finding; of one without it, its steps one after the other."""
    if finding.timeline:
        return tuple(_folded(finding.timeline))
    last = len(finding.steps)
    return tuple(
        Moment(CALLS, "│", f"#{number} {step}{f'  {BROKEN}' * (number == last)}")
        for number, step in enumerate(finding.steps, 1)
    )


def _folded(timeline: Sequence[Moment]) -> Iterator[Moment]:
    """The moments, but a lock that is released as soon as it was acquired takes one of them."""
    kept: list[Moment] = []
    for moment in timeline:
        lock = moment.text.removeprefix("release ")
        if kept and kept[-1] == Moment(moment.lane, "│", f"acquire {lock}"):
            kept[-1] = replace(moment, text=f"acquire, release {lock}")
        else:
            kept.append(moment)
    return iter(kept)


def bars(timeline: Sequence[Moment]) -> list[Bar]:
    """The operations of a timeline, in the order in which they begin; one that never ends has the last row.

    >>> bars([Moment("a", "┌", "get"), Moment("b", "┌", "put"), Moment("a", "└", "nothing")])
    ... # doctest: +NORMALIZE_WHITESPACE
    [Bar(lane='a', begin=0, end=2, call='get', answer='nothing', holds=''),
     Bar(lane='b', begin=1, end=2, call='put', answer='never returned', holds='')]
    """
    begun: dict[str, tuple[int, str]] = {}
    found = []
    last = len(timeline) - 1
    for row, moment in enumerate(timeline):
        lane = moment.lane
        if lane in _WHOLE:
            call, _, answer = moment.text.rpartition(" → ")
            found.append(Bar(lane, row, row, call or answer, answer if call else "", moment.holds))
        elif moment.edge == "┌":
            begun[lane] = row, moment.text
        elif moment.edge == "└" and lane in begun:
            begin, call = begun.pop(lane)
            found.append(Bar(lane, begin, row, call, moment.text, moment.holds))
        if lane != AFTER:
            last = row
    found += [Bar(lane, row, last, call, "never returned") for lane, (row, call) in begun.items()]
    return sorted(found, key=lambda bar: bar.begin)


_UNDRAWN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold."""


def diagram(timeline: Sequence[Moment]) -> str:
    """The SVG of a timeline, of a long one its last moments; empty if it has none."""
    if not timeline:
        return ""
    if left_out := max(len(timeline) - LONGEST, 0):
        more = Moment(BEFORE, "│", f"{left_out:,} moments before")
        timeline = (more, *timeline[left_out:])
    names = sorted({each.lane for each in timeline if each.lane not in _ACROSS}, key=_order)
    at: dict[str, tuple[int, int]] = {}
    width = 0
    for name in names:
        longest = max(len(each.text) for each in timeline if each.lane == name)
        most = max(WIDE, WHOLE // len(names))
        at[name] = width, min(max(round(longest * LETTER) + 5 * EDGE, NARROW), most)
        width += at[name][1]
    across = [round(len(each.text) * LETTER) + 5 * EDGE for each in timeline if each.lane in _ACROSS]
    width = max(width, min(max(across, default=0), WHOLE))
    at |= dict.fromkeys(_ACROSS, (0, width))
    drawn = bars(timeline)
    height = HEAD + ROW * len(timeline) + EDGE
    lanes = f"{len(names)} lane{'s' * (len(names) != 1)}"
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" '
        f'aria-label="Space-time diagram: {lanes}, {len(drawn)} operations, time runs downwards">'
    ]
    parts += [_window(bar, width) for bar in drawn if bar.broken]
    parts += [f'<text class="lane" x="{at[name][0] + EDGE}" y="18">{escape(name)}</text>' for name in names]
    parts += [f'<path class="rail" d="M{at[name][0] + EDGE} {HEAD - 4} V{height}"/>' for name in names]
    parts += [_bar(bar, *at[bar.lane]) for bar in drawn]
    edges = {(bar.lane, row) for bar in drawn for row in (bar.begin, bar.end)}
    parts += [_mark(row, each, at) for row, each in enumerate(timeline) if (each.lane, row) not in edges]
    return _UNDRAWN.sub("\ufffd", "\n".join((*parts, "</svg>")))


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("thread "), name.zfill(20)


def _window(bar: Bar, width: int) -> str:
    y, height = _rows(bar)
    return f'<rect class="window" x="0" y="{y - 3}" width="{width}" height="{height + 6}"/>'


def _rows(bar: Bar) -> tuple[int, int]:
    return HEAD + ROW * bar.begin, ROW * (bar.end - bar.begin + 1)


def _bar(bar: Bar, x: int, width: int) -> str:
    y, height = _rows(bar)
    kind = f"bar{' broken' * bar.broken}{' across' * (bar.lane in _ACROSS)}"
    if bar.begin == bar.end:
        text = f"{bar.call} → {bar.answer}" if bar.answer else bar.call
        call, answer = _text(x + 2 * EDGE, bar.begin, text, width, "call"), ""
    else:
        call = _text(x + 2 * EDGE, bar.begin, bar.call, width, "call")
        answer = _text(x + 2 * EDGE, bar.end, f"→ {bar.answer}", width, "answer")
    return (
        f'<g class="{kind}" tabindex="0" role="img" aria-label="{escape(bar.words)}">'
        f"<title>{escape(bar.words)}</title>"
        f'<rect x="{x + EDGE}" y="{y + 1}" width="{width - 2 * EDGE}" height="{height - 2}" rx="4"/>'
        f"{call}{answer}</g>"
    )


def _mark(row: int, moment: Moment, at: dict[str, tuple[int, int]]) -> str:
    x, width = at[moment.lane]
    text = _text(x + 2 * EDGE, row, moment.text, width, "mark")
    to = re.match(r"⇢ (.+?)(?: at .*)?$", moment.text)
    if to is None or to[1] not in at:
        return text
    y = HEAD + ROW * row + ROW - 3
    begin, end = x + EDGE, at[to[1]][0] + EDGE
    tip = end - 5 if end > begin else end + 5
    return f'{text}<path class="switch" d="M{begin} {y} H{end} M{tip} {y - 4} L{end} {y} L{tip} {y + 4}"/>'


def _text(x: int, row: int, text: str, width: int, kind: str) -> str:
    room = int((width - 3 * EDGE) / LETTER)
    shown = text if len(text) <= room else text[: room - 1] + "…"
    title = "" if shown == text else f"<title>{escape(text)}</title>"
    return f'<text class="{kind}" x="{x}" y="{HEAD + ROW * row + 14}">{escape(shown)}{title}</text>'
