"""Pictures of one slot: before an operation, and what it may hold afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, TypeAlias

from tmem.spec.slot import Does, Event, Kind, after, vanished

PAGE: Final = "A"
NEW: Final = "B"
_BOX: Final = 46
_GAP: Final = 150
_ROW: Final = 62


def outcomes(kind: Kind, before: str | None, event: Event[str]) -> list[str | None]:
    """What a slot may hold after an event, by the semantics: the page A or B, or nothing.

    An ephemeral page may vanish before.
    """
    held = {before, vanished(kind, before)}
    return sorted({page for each in held for page in after(kind, each, event)}, key=lambda page: page or "")


def slot(kind: Kind, rows: Sequence[tuple[str | None, str, Event[str]]]) -> str:
    """An SVG with a row for each case: the slot before, what is done, and what it may hold then.

    An event that cannot happen there is crossed out.
    """
    parts, height = [], 24 + _ROW * len(rows)
    for number, (before, said, event) in enumerate(rows):
        y = 24 + number * _ROW
        ends = outcomes(kind, before, event)
        parts.append(_box(20, y, before))
        parts.append(_arrow(20 + _BOX + 8, y, said, possible=bool(ends)))
        for place, page in enumerate(ends):
            parts.append(_box(20 + _BOX + _GAP + place * (_BOX + 34), y, page))
            if place:
                parts.append(_text(20 + _BOX + _GAP + place * (_BOX + 34) - 17, y + _BOX / 2 + 4, "or"))
    title = f"A slot of a {kind} pool"
    drawn = _text(20, 14, title, "start") + "".join(parts)
    return (
        f'<svg class="slot" role="img" viewBox="0 0 420 {height}" width="420" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{title}</title>{drawn}</svg>'
    )


def _box(x: float, y: float, page: str | None) -> str:
    name = "" if page is None else _text(x + _BOX / 2, y + _BOX / 2 + 6, page)
    kind = "empty" if page is None else f"page {page.lower()}"
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{_BOX}" height="{_BOX}" rx="5"/>{name}'


def _arrow(x: float, y: float, said: str, possible: bool) -> str:
    end, middle = x + _GAP - 16, y + _BOX / 2
    line = (
        f'<path class="arrow" d="M{x} {middle}H{end - 6}M{end - 12} {middle - 5}L{end - 6} {middle}'
        f'L{end - 12} {middle + 5}"/>'
    )
    cross = "" if possible else _text(end + 24, middle + 5, "not permitted", "start")
    return line + _text((x + end) / 2 - 4, middle - 7, said) + cross


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


EPHEMERAL, PERSISTENT = Kind(), Kind(persistent=True)
SHARED = Kind(shared=True)
Seen: TypeAlias = Event[str]
_OLD: Final[Seen] = Event(Does.HIT, PAGE)
_STORED: Final[Seen] = Event(Does.STORED, NEW)
_FAILED: Final[Seen] = Event(Does.REFUSED)
_MISS: Final[Seen] = Event(Does.MISS)
_FLUSHED: Final[Seen] = Event(Does.FLUSHED)
_RECLAIMED: Final[Seen] = Event(Does.RECLAIMED)

DRAWN: Final[dict[str, tuple[tuple[Kind, Sequence[tuple[str | None, str, Event[str]]]], ...]]] = {
    "TMEM-PUT-1": ((PERSISTENT, ((PAGE, "put B fails", _FAILED), (None, "put B fails", _FAILED))),),
    "TMEM-PUT-2": ((PERSISTENT, ((None, "put B", _STORED), (NEW, "get → B", Event(Does.HIT, NEW)))),),
    "TMEM-PUT-3": (
        (PERSISTENT, ((PAGE, "put B", _STORED), (PAGE, "put B fails", _FAILED), (NEW, "get → A", _OLD))),
    ),
    "TMEM-GET-1": ((EPHEMERAL, ((PAGE, "get misses", _MISS), (None, "get → A", _OLD))),),
    "TMEM-GET-2": (
        (EPHEMERAL, ((PAGE, "get → A", _OLD),)),
        (SHARED, ((PAGE, "get → A", _OLD),)),
    ),
    "TMEM-GET-3": ((PERSISTENT, ((PAGE, "get → A", _OLD), (PAGE, "get misses", _MISS))),),
    "TMEM-FLUSH-1": ((PERSISTENT, ((PAGE, "flush page", _FLUSHED), (None, "flush page", _FLUSHED))),),
    "TMEM-FLUSH-2": ((PERSISTENT, ((PAGE, "flush object", _FLUSHED),)),),
    "TMEM-RECLAIM-1": (
        (EPHEMERAL, ((PAGE, "reclaim", _RECLAIMED),)),
        (PERSISTENT, ((PAGE, "reclaim", _RECLAIMED),)),
    ),
    "TMEM-POOL-3": ((PERSISTENT, ((PAGE, "destroy pool", Event(Does.ENDED)),)),),
}
"""The pictures of each clause that is about one slot."""
