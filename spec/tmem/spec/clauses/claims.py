"""The claims: good properties that no clause can demand, checked where a backend makes them."""

from __future__ import annotations

from collections.abc import Sequence

from tmem.spec.clauses.clause import claim
from tmem.spec.slot import P


@claim(
    "retain",
    "A hit in a shared ephemeral pool keeps the page, as long as there is room and no reclaim was called.",
    "X ours",
)
def retains(first: P | None, second: P | None) -> bool:
    """Whether two gets in a row of an undisturbed shared ephemeral slot may show this.

    >>> retains("page", "page"), retains("page", None), retains(None, None)
    (True, False, True)
    """
    return first is None or second == first


@claim("reclaim-bound", "reclaim(n) removes at most n pages, and makes progress when idle.", "P ours")
def reclaim_bounded(asked: int, before: int, after: int) -> bool:
    """Whether reclaim(asked) of an idle store may leave `after` ephemeral pages where it held `before`.

    >>> reclaim_bounded(2, before=5, after=3), reclaim_bounded(2, before=5, after=2)
    (True, False)
    >>> reclaim_bounded(2, before=5, after=5)      # no progress
    False
    """
    gone = before - after
    return 0 <= gone <= asked and (gone > 0 or asked == 0 or before == 0)


@claim("regain", "After a fill and flush of everything the room is back: nothing leaks.", "ours")
def room_regained(first_fill: int, second_fill: int) -> bool:
    """Whether an equal second fill may store this number of pages, after the first was flushed.

    >>> room_regained(100, 100), room_regained(100, 99)
    (True, False)
    """
    return second_fill >= first_fill


@claim("atomic-flush", "Flush object takes effect on the whole object at one instant.", "T X")
def flush_atomic(seen: Sequence[bool]) -> bool:
    """Whether gets in a row during one flush object may hit (True) and miss (False) distinct pages so.

    >>> flush_atomic([True, True, False, False]), flush_atomic([False, True])
    (True, False)
    """
    return list(seen) == sorted(seen, reverse=True)


@claim("lru", "Under pressure the ephemeral page that was put or hit longest ago goes first.", "T X")
def oldest_first(survived: Sequence[bool]) -> bool:
    """Whether these pages, by their last put or hit, may have survived (True) a reclaim.

    >>> oldest_first([False, False, True, True]), oldest_first([True, False])
    (True, False)
    """
    return list(survived) == sorted(survived)
