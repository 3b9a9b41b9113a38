"""A timeline as a space-time diagram in SVG: a lane for each thread, bars for operations, time downwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tmem.conformance.events import Moment

ROW: Final = 22
"""Pixels of a moment."""
HEAD: Final = 30
"""Pixels above the first one, for the names of the lanes."""
LETTER: Final = 7.3
"""Pixels of a letter, which is one of a monospaced font of 12 pixels."""
NARROW, WIDE = 150, 330
"""The least and the most pixels of a lane. A text that is longer is cut; all of it is in the title."""
EDGE: Final = 8
"""Pixels between the left edge of a lane and its bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An operation: its lane, the rows of its begin and end, its call and answer."""

    lane: str
    begin: int
    end: int
    call: str
    answer: str

    @property
    def broken(self) -> bool:
        """Whether it is the operation that breaks the contract."""
        return "✗" in self.answer

    @property
    def words(self) -> str:
        """All of it, for a reader who cannot see the diagram."""
        breaks = ", which breaks the contract" if self.broken else ""
        return f"{self.lane}: {self.call} → {self.answer.replace('  ✗', '')}{breaks}"


def bars(moments: Sequence[Moment]) -> list[Bar]:
    """The operations of a timeline, in the order in which they begin; one that never ends has the last row.

    >>> bars([Moment("a", "┌", "get"), Moment("b", "┌", "put"), Moment("a", "└", "nothing")])
    ... # doctest: +NORMALIZE_WHITESPACE
    [Bar(lane='a', begin=0, end=2, call='get', answer='nothing'),
     Bar(lane='b', begin=1, end=2, call='put', answer='never returned')]
    """
    begun: dict[str, tuple[int, str]] = {}
    found = []
    for row, (lane, edge, text) in enumerate((each.lane, each.edge, each.text) for each in moments):
        if edge == "┌":
            begun[lane] = row, text
        elif edge == "└" and lane in begun:
            found.append(Bar(lane, *_ended(begun.pop(lane), row, text)))
    last = len(moments) - 1
    found += [Bar(lane, *_ended(opened, last, "never returned")) for lane, opened in begun.items()]
    return sorted(found, key=lambda bar: bar.begin)


def _ended(begun: tuple[int, str], row: int, answer: str) -> tuple[int, int, str, str]:
    return begun[0], row, begun[1], answer


def diagram(timeline: Sequence[Moment]) -> str:
    """The SVG of the moments in which threads are at work; empty if there are none."""
    moments = [each for each in timeline if each.lane not in ("before", "after")]
    if not moments:
        return ""
    names = sorted({each.lane for each in moments}, key=_order)
    at, width = {}, 0
    for name in names:
        longest = max(len(each.text) for each in moments if each.lane == name)
        at[name] = width, min(max(round(longest * LETTER) + 5 * EDGE, NARROW), WIDE)
        width += at[name][1]
    drawn = bars(moments)
    height = HEAD + ROW * len(moments) + EDGE
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="group" '
        f'aria-label="Space-time diagram: {len(names)} threads, {len(drawn)} operations">'
    ]
    parts += [_window(bar, width) for bar in drawn if bar.broken]
    parts += [f'<text class="lane" x="{at[name][0] + EDGE}" y="18">{escape(name)}</text>' for name in names]
    parts += [
        f'<line class="rail" x1="{x + EDGE}" x2="{x + EDGE}" y1="{HEAD - 4}" y2="{height}"/>'
        for x, _ in at.values()
    ]
    parts += [_bar(bar, *at[bar.lane]) for bar in drawn]
    edges = {(bar.lane, row) for bar in drawn for row in (bar.begin, bar.end)}
    parts += [_mark(row, each, at) for row, each in enumerate(moments) if (each.lane, row) not in edges]
    return "\n".join((*parts, "</svg>"))


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("thread "), name


def _window(bar: Bar, width: int) -> str:
    y, height = _rows(bar)
    return f'<rect class="window" x="0" y="{y - 3}" width="{width}" height="{height + 6}"/>'


def _rows(bar: Bar) -> tuple[int, int]:
    return HEAD + ROW * bar.begin, ROW * (bar.end - bar.begin + 1)


def _bar(bar: Bar, x: int, width: int) -> str:
    y, height = _rows(bar)
    kind = "bar broken" if bar.broken else "bar"
    call = _text(x + 2 * EDGE, bar.begin, bar.call, width, "call")
    answer = _text(x + 2 * EDGE, bar.end, f"→ {bar.answer}", width, "answer") if bar.end > bar.begin else ""
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
    return f'<text class="{kind}" x="{x}" y="{HEAD + ROW * row + 15}">{escape(shown)}{title}</text>'
