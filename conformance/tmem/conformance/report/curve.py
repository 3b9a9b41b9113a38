"""The discovery curve in SVG: how many coverpoints were reached, over the operations of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tmem.conformance.report.summary import Discovery

WIDTH, HEIGHT = 620, 150
"""Pixels of the whole."""
LEFT, TOP, RIGHT, BOTTOM = 34, 12, 12, 26
"""Pixels beside, above and below the area of the curve, for numbers and names."""
FEWEST: Final = 2
"""Points that a curve needs."""


def curve(discoveries: Sequence[Discovery], operations: int) -> str:
    """The SVG of a run with this number of operations; empty where there is too little to draw."""
    if len(discoveries) < FEWEST or not operations:
        return ""
    most = discoveries[-1].reached
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    points: list[tuple[float, float]] = [(LEFT, TOP + down)]
    for at, reached, _ in discoveries:
        x = LEFT + round(across * min(at / operations, 1.0), 1)
        points += [(x, points[-1][1]), (x, TOP + round(down * (1 - reached / most), 1))]
    points.append((LEFT + across, points[-1][1]))
    line = " ".join(f"{x},{y}" for x, y in points)
    last = discoveries[-1]
    words = (
        f"Discovery curve: {most} coverpoints were reached in {operations:,} operations, "
        f"the last one, {last.last}, after {last.operations:,}."
    )
    return "\n".join(
        (
            f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="{words}"><title>{words}</title>',
            f'<path class="rail" d="M{LEFT} {TOP} V{TOP + down} H{LEFT + across}" fill="none"/>',
            f'<polyline points="{line}"/>',
            f'<text class="mark" x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{most}</text>',
            f'<text class="mark" x="{LEFT - 6}" y="{TOP + down}" text-anchor="end">0</text>',
            f'<text class="mark" x="{LEFT}" y="{HEIGHT - 8}">0</text>',
            f'<text class="mark" x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">'
            f"{operations:,} operations</text>",
            "</svg>",
        )
    )
