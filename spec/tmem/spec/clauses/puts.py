"""The clauses of put. Each function looks at one step of one slot: before, event, after."""

from __future__ import annotations

from collections.abc import Collection

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Does, Event, Kind, P


@clause(
    "TMEM-PUT-1",
    "Any put may fail: it answers False, or raises ENOMEM, ENOSPC or EFROZEN. After a put that failed the "
    "slot holds nothing. Every other put with right arguments into a live pool answers True.",
    "T X F",
)
def failed_put_empties(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> failed = Event(Does.REFUSED)
    >>> failed_put_empties(Kind(), "old", failed, None), failed_put_empties(Kind(), "old", failed, "old")
    (True, False)
    >>> failed_put_empties(Kind(), "old", Event(Does.NOTHING), None)      # put answered EINVAL
    False
    """
    return event.does is not Does.NOTHING and (event.does is not Does.REFUSED or after is None)


@clause("TMEM-PUT-2", "After a put that succeeded, a get that hits returns exactly that page.", "T")
def stored_page(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it: what was stored is there, and a hit shows what is there.

    >>> [stored_page(Kind(), None, Event(Does.STORED, "page"), after) for after in ("page", "torn")]
    [True, False]
    >>> stored_page(Kind(), "page", Event(Does.HIT, "other"), None)
    False
    """
    if event.does is Does.STORED:
        return after == event.page
    return event.does is not Does.HIT or before == event.page


@clause(
    "TMEM-PUT-3",
    "A put to a slot that holds a page (a duplicate put) replaces that page or fails; either way the old "
    "page is gone and is never seen again.",
    "T F I",
)
def old_page_gone(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> put = Event(Does.STORED, "new")
    >>> old_page_gone(Kind(), "old", put, "new"), old_page_gone(Kind(), "old", put, "old")
    (True, False)
    >>> old_page_gone(Kind(), "old", Event(Does.REFUSED), "old")
    False
    """
    if event.does not in (Does.STORED, Does.REFUSED, Does.NOTHING) or before is None or before == event.page:
        return True
    return after != before


@clause(
    "TMEM-PUT-4",
    "A put copies the page during the call, so the caller may change its buffer afterwards. The page that a "
    "get returns is a copy too.",
    "C",
)
def copied(put: P, shown: P, later: Collection[P]) -> bool:
    """Whether a hit may show `shown` where `put` was put and its buffers became `later` after the call.

    >>> copied("page", "page", {"scribble"}), copied("page", "scribble", {"scribble"})
    (True, False)
    """
    return shown == put or shown not in later
