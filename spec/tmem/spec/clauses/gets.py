"""The clauses of get. Each function looks at one step of one slot: before, event, after."""

from __future__ import annotations

from tmem.spec.clauses.clause import clause
from tmem.spec.slot import Does, Event, Kind, P


@clause(
    "TMEM-GET-1",
    "After a get that misses, every get of the slot misses until a put succeeds.",
    "T C",
)
def miss_stays(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it: a miss leaves nothing, and nothing comes of nothing but by a put.

    >>> miss_stays(Kind(), None, Event(Does.MISS), None), miss_stays(Kind(), None, Event(Does.MISS), "page")
    (True, False)
    >>> miss_stays(Kind(), None, Event(Does.HIT, "page"), None)
    False
    """
    if event.does is Does.MISS or (before is None and event.does is not Does.STORED):
        return after is None and event.does is not Does.HIT
    return True


@clause(
    "TMEM-GET-2",
    "A hit in a private ephemeral pool removes the page. In a shared ephemeral pool it may keep the page or "
    "remove it.",
    "T C",
)
def exclusive_hit(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> hit = Event(Does.HIT, "page")
    >>> exclusive_hit(Kind(), "page", hit, None), exclusive_hit(Kind(), "page", hit, "page")
    (True, False)
    >>> [exclusive_hit(Kind(shared=True), "page", hit, after) for after in (None, "page")]
    [True, True]
    """
    return event.does is not Does.HIT or not kind.exclusive or after is None


@clause(
    "TMEM-GET-3",
    "A hit in a persistent pool keeps the page. There a get must hit unless the page was flushed, its pool "
    "ended, or a later put to the slot succeeded or failed; no error may take the place of the page.",
    "T F",
)
def persistent_hit(kind: Kind, before: P | None, event: Event[P], after: P | None) -> bool:
    """Whether the step keeps to it.

    >>> swap = Kind(persistent=True)
    >>> persistent_hit(swap, "page", Event(Does.HIT, "page"), "page")
    True
    >>> persistent_hit(swap, "page", Event(Does.HIT, "page"), None)      # the hit lost it
    False
    >>> persistent_hit(swap, "page", Event(Does.MISS), None)
    False
    >>> persistent_hit(swap, "page", Event(Does.DENIED), "page")         # ENOMEM
    False
    """
    if not kind.persistent or before is None:
        return True
    if event.does is Does.HIT:
        return after == before
    return event.does not in (Does.MISS, Does.DENIED)
