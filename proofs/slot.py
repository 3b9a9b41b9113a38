"""Theorems of one slot: its semantics keeps every clause, and the clauses leave no other step open.

Pages are integer tokens. A `step` is `before`, an event, and one of the states it may lead to.
"""

from __future__ import annotations

from proofs.theorem import theorem
from tmem.spec.clauses.flushes import flushed_empties
from tmem.spec.clauses.gets import exclusive_hit, miss_stays, persistent_hit
from tmem.spec.clauses.puts import failed_put_empties, old_page_gone, stored_page
from tmem.spec.clauses.reclaim import gone_as_if_flushed, only_ephemeral
from tmem.spec.slot import Does, Event, Kind, after, untouched, vanished

SLOT_CLAUSES = (
    failed_put_empties,
    stored_page,
    old_page_gone,
    miss_stays,
    exclusive_hit,
    persistent_hit,
    flushed_empties,
    only_ephemeral,
    gone_as_if_flushed,
)
"""What decides each clause that looks at one step of one slot."""
SILENT = (Does.DENIED, Does.ENDED)
"""Events of which the clauses of a slot say nothing: others decide them."""


def carries_page(event: Event[int]) -> bool:
    """Whether the event has a page exactly where it should."""
    return (event.page is not None) == (event.does is Does.STORED or event.does is Does.HIT)


@theorem("TMEM-PUT-1")
def a_failed_put_leaves_nothing(kind: Kind, before: int | None) -> bool:
    """Any put may fail, whatever the slot held, and then it holds nothing."""
    failed: Event[int] = Event(Does.REFUSED)
    assert after(kind, before, failed) == (None,)
    assert failed_put_empties(kind, before, failed, None)
    return before is not None


@theorem("TMEM-PUT-2")
def a_hit_returns_what_was_put(kind: Kind, before: int | None, put: int, shown: int, strike: bool) -> bool:
    """After a stored put, and whether or not the reclaimer struck, a hit shows exactly that page."""
    (held,) = after(kind, before, Event(Does.STORED, put))
    now = vanished(kind, held) if strike else held
    hits = after(kind, now, Event(Does.HIT, shown)) != ()
    assert not hits or shown == put
    assert hits or shown != put or (strike and not kind.persistent)
    return hits and before is not None and before != put


@theorem("TMEM-PUT-2")
def a_step_shows_and_keeps_the_page(kind: Kind, before: int | None, event: Event[int]) -> bool:
    """Every step of the semantics keeps the clause: what is stored is there, a hit shows what is there."""
    steps = after(kind, before, event)
    for now in steps:
        assert stored_page(kind, before, event, now)
    return event.does is Does.HIT and len(steps) > 0


@theorem("TMEM-PUT-3")
def an_old_page_is_never_seen_again(
    kind: Kind, old: int, new: int, stored: bool, event: Event[int], strike: bool
) -> bool:
    """After a duplicate put, stored or failed, and one event more, no get shows the old page."""
    put: Event[int] = Event(Does.STORED, new) if stored else Event(Does.REFUSED)
    if old == new or event.page == old:
        return False
    (held,) = after(kind, old, put)
    assert old_page_gone(kind, old, put, held)
    for now in after(kind, vanished(kind, held) if strike else held, event):
        assert after(kind, now, Event(Does.HIT, old)) == ()
        if now is not None:
            return True
    return False


@theorem("TMEM-GET-1")
def after_a_miss_only_a_put_brings_a_page(kind: Kind, before: int | None, event: Event[int]) -> bool:
    """A miss leaves nothing, and of nothing comes nothing and no hit, but by a put that succeeds."""
    for now in after(kind, before, Event(Does.MISS)):
        assert now is None
    for now in after(kind, before, event):
        assert miss_stays(kind, before, event, now)
        if before is None and event.does is Does.DENIED:
            return True
    return False


@theorem("TMEM-GET-2")
def an_exclusive_hit_removes_the_page(kind: Kind, page: int) -> bool:
    """A hit in a private ephemeral pool leaves nothing; in no other pool does it have to."""
    hit = Event(Does.HIT, page)
    steps = after(kind, page, hit)
    private_ephemeral = not kind.persistent and not kind.shared
    assert (steps == (None,)) == private_ephemeral
    for now in steps:
        assert exclusive_hit(kind, page, hit, now)
    return private_ephemeral


@theorem("TMEM-GET-3")
def a_persistent_page_must_hit_and_stays(kind: Kind, page: int, event: Event[int]) -> bool:
    """A get of a persistent page can only hit, with that page, and leaves it there."""
    if not kind.persistent:
        return False
    assert after(kind, page, Event(Does.HIT, page)) == (page,)
    for get in (Does.MISS, Does.DENIED):
        assert after(kind, page, Event(get)) == ()
    for now in after(kind, page, event):
        assert persistent_hit(kind, page, event, now)
        if event.does is Does.HIT:
            return True
    return False


@theorem("TMEM-FLUSH-1")
def a_flush_leaves_nothing(kind: Kind, before: int | None) -> bool:
    """A flush is always possible, also of nothing, and leaves nothing."""
    flush: Event[int] = Event(Does.FLUSHED)
    assert after(kind, before, flush) == (None,)
    assert flushed_empties(kind, before, flush, None)
    return before is not None


@theorem("TMEM-RECLAIM-1")
def a_persistent_page_never_vanishes(page: int, shared: bool, event: Event[int]) -> bool:
    """A persistent page goes only by a put, a flush or the end of its pool, never by reclaim."""
    kind = Kind(persistent=True, shared=shared)
    assert vanished(kind, page) == page
    steps = after(kind, page, event)
    for now in steps:
        assert only_ephemeral(kind, page, event, now)
        if event.does not in (Does.STORED, Does.REFUSED, Does.FLUSHED, Does.ENDED):
            assert now == page
    return event.does is Does.RECLAIMED and len(steps) > 0


@theorem("TMEM-RECLAIM-2")
def a_reclaimed_page_is_gone_as_if_flushed(kind: Kind, before: int | None) -> bool:
    """To an ephemeral slot, reclaim, the silent vanishing and a flush are one and the same."""
    strike: Event[int] = Event(Does.RECLAIMED)
    assert gone_as_if_flushed(kind, before, strike, vanished(kind, before))
    if kind.persistent:
        return False
    assert (
        after(kind, before, strike) == (vanished(kind, before),) == after(kind, before, Event(Does.FLUSHED))
    )
    return before is not None


@theorem("TMEM-POOL-3")
def the_end_of_a_pool_empties_its_slots(kind: Kind, before: int | None) -> bool:
    """A slot whose pool ended holds nothing, whatever it held."""
    assert after(kind, before, Event(Does.ENDED)) == (None,)
    return before is not None


@theorem("TMEM-PUT-1", "TMEM-PUT-3", "TMEM-FLUSH-1")
def no_put_or_flush_changes_nothing(kind: Kind, before: int | None, now: int | None) -> bool:
    """A put or flush of a live pool that says that it changed nothing is impossible; the clauses say so."""
    nothing: Event[int] = Event(Does.NOTHING)
    assert after(kind, before, nothing) == ()
    assert not failed_put_empties(kind, before, nothing, now)
    assert not flushed_empties(kind, before, nothing, now)
    assert old_page_gone(kind, before, nothing, now) == (before is None or now != before)
    return before is not None and now == before


@theorem("TMEM-GET-3")
def a_denied_get_changes_nothing(kind: Kind, before: int | None) -> bool:
    """A get may be denied wherever no persistent page is, and leaves what is there."""
    denied: Event[int] = Event(Does.DENIED)
    steps = after(kind, before, denied)
    assert (steps == ()) == (kind.persistent and before is not None)
    assert persistent_hit(kind, before, denied, before) == (steps != ())
    for now in steps:
        assert now == before
    return before is not None and steps != ()


@theorem("TMEM-ARG-1")
def what_no_call_touches_keeps_its_page_or_lets_it_vanish(
    kind: Kind, before: int | None, now: int | None
) -> bool:
    """A slot that no operation touches goes where vanishing leads, and nowhere else."""
    assert untouched(kind, before, now) == (now in (before, vanished(kind, before)))
    if kind.persistent:
        assert untouched(kind, before, now) == (now == before)
    return before is not None and now is None and untouched(kind, before, now)


@theorem("TMEM-PUT-2", "TMEM-RECLAIM-2")
def no_page_comes_from_nowhere(kind: Kind, before: int | None, event: Event[int]) -> bool:
    """What a slot holds after an event is what it held, or what was just put, or nothing."""
    for now in after(kind, before, event):
        assert now is None or now == before or (event.does is Does.STORED and now == event.page)
        if event.does is Does.HIT and now is not None:
            return True
    return False


@theorem("TMEM-PUT-1", "TMEM-GET-1", "TMEM-GET-3", "TMEM-FLUSH-1")
def something_can_always_be_answered(kind: Kind, holds: int | None) -> bool:
    """No slot is stuck: a put may succeed and fail, a flush flush, and a get hit what is there, else miss."""
    for does in (Does.REFUSED, Does.FLUSHED, Does.ENDED, Does.RECLAIMED):
        assert after(kind, holds, Event(does)) != ()
    assert after(kind, holds, Event(Does.STORED, 1)) == (1,)
    assert (after(kind, holds, Event(Does.MISS)) != ()) == (holds is None)
    if holds is not None:
        assert after(kind, holds, Event(Does.HIT, holds)) != ()
    return holds is not None


@theorem(
    "TMEM-PUT-1",
    "TMEM-PUT-2",
    "TMEM-PUT-3",
    "TMEM-GET-1",
    "TMEM-GET-2",
    "TMEM-GET-3",
    "TMEM-FLUSH-1",
    "TMEM-RECLAIM-1",
    "TMEM-RECLAIM-2",
)
def the_clauses_leave_no_other_step_open(
    kind: Kind, before: int | None, event: Event[int], now: int | None
) -> bool:
    """A step that every clause of a slot allows, and that conjures up no page, is one of the semantics.

    The page may have vanished before the event and after it; SILENT events are for other clauses.
    """
    if not carries_page(event) or event.does in SILENT:
        return False
    if event.does is not Does.STORED and now is not None and now != before:
        return False
    if not all(keeps(kind, before, event, now) for keeps in SLOT_CLAUSES):
        return False
    reached = [
        end
        for start in (before, vanished(kind, before))
        for held in after(kind, start, event)
        for end in (held, vanished(kind, held))
    ]
    assert now in reached
    return event.does is Does.HIT and now is not None
