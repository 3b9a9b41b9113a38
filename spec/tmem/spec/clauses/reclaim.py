"""The clauses of reclaim."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Does, Event, Kind, P


@clause(
    "TMEM-RECLAIM-1",
    "Only ephemeral pages are reclaimed; a persistent page never vanishes, under any pressure.",
    "P F",
)
def only_ephemeral(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> strike = Event(Does.RECLAIMED)
    >>> [only_ephemeral(kind, "page", strike, None) for kind in (Kind(), Kind(persistent=True))]
    [True, False]
    """
    return event.does is not Does.RECLAIMED or not kind.persistent or after == before


@clause(
    "TMEM-RECLAIM-2",
    "A reclaimed page is gone as if it had been flushed: it is never seen again, and no other slot changes. "
    "Other clauses imply this one; a breach is reported under those.",
    "P I",
    implied=True,
)
def gone_as_if_flushed(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> [gone_as_if_flushed(Kind(), "page", Event(Does.RECLAIMED), after) for after in (None, "stale")]
    [True, False]
    """
    return event.does is not Does.RECLAIMED or after is None or (kind.persistent and after == before)
