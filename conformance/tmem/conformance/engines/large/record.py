"""What the judge of large programs knows of one slot, in one integer.

From the low bits up: the belief (nothing, maybe, sure), how its last pages ended (an octal digit each, the
newest lowest), the name of the pool that the last page was put by, how many puts there were, and the epoch of
the last.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tmem.spec.belief import Belief, learn
from tmem.spec.slot import Does, Event, Kind

NOTHING, MAYBE, SURE = range(3)
"""Beliefs: the slot holds nothing; its last page or nothing; its last page."""
BELIEF: Final = 3
ENDS_AT: Final = 2
DIGIT: Final = 7
REMEMBERED: Final = 7
"""Pages of a slot whose ends are known."""
ENDS: Final = (1 << 3 * REMEMBERED) - 1
NAME_AT: Final = ENDS_AT + 3 * REMEMBERED
TIME_AT: Final = NAME_AT + 16
EPOCH_AT: Final = TIME_AT + 32
TIMES: Final = (1 << 32) - 1
NAMES: Final = (1 << 16) - 1

ENDINGS: Final = (
    *("untouched", "TMEM-PUT-1", "TMEM-PUT-3", "TMEM-GET-1"),
    *("TMEM-GET-2", "TMEM-FLUSH-1", "TMEM-FLUSH-2", "TMEM-POOL-3"),
)
"""What the digits stand for: the clause that forbids to show the page again."""
REFUSED, REPLACED, MISSED, TAKEN, FLUSHED, FLUSHED_OBJECT, POOL_ENDED = range(1, 8)

_PAGE: Final = 1
_BELIEFS: Final[tuple[Belief[int], ...]] = (Belief(), Belief(_PAGE), Belief(_PAGE, sure=True))


def _learned(kind: Kind, belief: int, does: Does, page: int | None) -> int | None:
    after = learn(kind, _BELIEFS[belief], Event(does, page))
    return None if after is None else NOTHING if after.page is None else SURE if after.sure else MAYBE


KINDS: Final = tuple(Kind(persistent, shared) for persistent in (False, True) for shared in (False, True))
Beliefs: TypeAlias = tuple[int | None, int | None, int | None]
AFTER: Final[dict[tuple[Kind, Does], Beliefs]] = {
    (kind, does): (
        _learned(kind, NOTHING, does, _PAGE if does in (Does.HIT, Does.STORED) else None),
        _learned(kind, MAYBE, does, _PAGE if does in (Does.HIT, Does.STORED) else None),
        _learned(kind, SURE, does, _PAGE if does in (Does.HIT, Does.STORED) else None),
    )
    for kind in KINDS
    for does in Does
}
"""The belief after an event, by the belief before; None where the spec does not allow it. A hit returns the
slot's own page. This is the spec, `belief.learn`, as a table."""


def over(record: int, ending: int) -> int:
    """Return the record of a slot after its page has ended; unchanged if it holds no page."""
    if not record & BELIEF:
        return record
    ends = (record >> ENDS_AT & ENDS) << 3 & ENDS | ending
    return record >> NAME_AT << NAME_AT | ends << ENDS_AT


def put(record: int, name: int, epoch: int, belief: int) -> int:
    """The record after a put that was stored."""
    if record & BELIEF:
        record = over(record, REPLACED)
    time = (record >> TIME_AT & TIMES) + 1
    return epoch << EPOCH_AT | time << TIME_AT | name << NAME_AT | record & ENDS << ENDS_AT | belief


def put_failed(record: int, name: int, epoch: int) -> int:
    """The record after a put that failed: the page that was there, and the one that was put, have ended."""
    return over(put(over(record, REFUSED), name, epoch, MAYBE), REFUSED)


def ending(record: int, time: int) -> str:
    """The clause that forbids to show the page of this put of the slot; empty where it may be shown.

    Of ends that are no longer known the oldest that is answers.
    """
    newest = (record >> TIME_AT & TIMES) - (record & BELIEF != NOTHING)
    if time > newest:
        return ""
    depth = min(newest - time, REMEMBERED - 1)
    while depth and not record >> ENDS_AT + 3 * depth & DIGIT:
        depth -= 1
    return ENDINGS[record >> ENDS_AT + 3 * depth & DIGIT]
