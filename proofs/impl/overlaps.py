"""Two operations on one slot: the whole second operation runs between two statements of the first.

The second runs at each point at which no lock is held. Their answers, and what the slot holds in the end,
must be allowed by the semantics of a slot for one of their two orders.
"""

from __future__ import annotations

from proofs.impl.calls import Call, made
from proofs.impl.contract import contract
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import (
    follow_in_some_order,
    follows,
    holds_one_of,
    numbered,
    reached,
    sound,
    undisturbed,
)
from proofs.impl.scene import BESIDE, ELSEWHERE, OTHER, TARGET, Before, Scene
from proofs.impl.symbolic import decided
from proofs.impl.tokens import PUT_TOO
from tmem.spec.slot import Does, Event, Kind


def overlap(scene: Scene, first: Call, second: Call, at: Moment) -> tuple[Event[int], Event[int]] | None:
    """Return the events of both operations; None if the first has no such point."""
    events: list[Event[int]] = []

    def meanwhile() -> None:
        events.append(made(second, scene, page=PUT_TOO))

    event = interrupted(Interruption(at, scene.nobody_is_in, meanwhile), lambda: made(first, scene))
    if not events:
        return None
    follow_in_some_order(scene, TARGET, event, events[0])
    flushes: list[Event[int]] = [Event(Does.FLUSHED) for call in (first, second) if call is Call.FLUSH_OBJECT]
    follows(scene, BESIDE, *flushes)
    undisturbed(scene, OTHER, ELSEWHERE)
    sound(scene)
    return event, events[0]


@contract("TMEM-CONC-1", "TMEM-GET-1", "TMEM-GET-2", "TMEM-GET-3")
@at_every_point
def a_get_that_others_overlap_is_right(
    at: Moment, kind: Kind, target: int | None, page: int, other: Call
) -> bool:
    """A get, and any operation within it: a page has one exclusive hit at most; a page that stays is hit."""
    scene = Scene(Before(kind, target, 1, 2, 3, False), put_too=page)
    events = overlap(scene, Call.GET, other, at)
    return events is not None and events[0].does is Does.HIT


@contract("TMEM-CONC-1", "TMEM-PUT-2", "TMEM-PUT-3")
@at_every_point
def a_put_that_others_overlap_is_right(
    at: Moment, kind: Kind, target: int | None, page: int, other_page: int, other: Call
) -> bool:
    """A put, and any operation within it: in the end the slot holds the page of one put, or nothing."""
    scene = Scene(Before(kind, target, 1, 2, 3, False), page, other_page)
    events = overlap(scene, Call.PUT, other, at)
    return events is not None and target is not None and other is Call.PUT


@contract("TMEM-CONC-1", "TMEM-CONC-2", "TMEM-FLUSH-1", "TMEM-FLUSH-2")
@at_every_point
def a_flush_that_others_overlap_is_right(
    at: Moment, kind: Kind, target: int | None, page: int, whole: bool, other: Call
) -> bool:
    """A flush of a page or its object, and any operation within it."""
    scene = Scene(Before(kind, target, 1, 2, 3, False), put_too=page)
    events = overlap(scene, Call.FLUSH_OBJECT if whole else Call.FLUSH_PAGE, other, at)
    return events is not None and target is not None and other is Call.PUT


@contract("TMEM-HANDLE-1", "TMEM-CONC-1")
@at_every_point
def operations_on_two_pools_are_each_as_if_alone(
    at: Moment, persistent: bool, target: int | None, page: int, other_page: int, call: Call, puts: bool
) -> bool:
    """An operation, and within it a put or a flush in another pool, also while the first pool is locked."""
    scene = Scene(Before(Kind(persistent), target, 1, 2, 3, False), page, other_page)
    events: list[Event[int]] = []
    second = Call.PUT if decided(puts) else Call.FLUSH_PAGE

    def meanwhile() -> None:
        events.append(made(second, scene, ELSEWHERE, PUT_TOO))

    event = interrupted(Interruption(at, scene.elsewhere_is_free, meanwhile), lambda: made(call, scene))
    follows(scene, TARGET, event)
    follows(scene, ELSEWHERE, *events)
    follows(scene, BESIDE, *([event] if call is Call.FLUSH_OBJECT else []))
    undisturbed(scene, OTHER)
    sound(scene)
    return bool(events) and call is Call.PUT and target is not None


@contract("TMEM-POOL-1", "TMEM-POOL-3")
@at_every_point
def no_operation_reaches_the_next_pool_of_the_id(
    at: Moment, kind: Kind, target: int | None, page: int, other_page: int, first: Call
) -> bool:
    """While an operation runs, its pool ends and another pool is made under the same id, with a page."""
    scene = Scene(Before(kind, target, None, 2, 3, False), page, other_page)

    def begin_anew() -> None:
        scene.destroy_pool()
        assert scene.new_pool() == TARGET[0], "the id did not come back"
        assert scene.put(TARGET, PUT_TOO).does is Does.STORED

    again = Interruption(at, scene.nobody_is_in, begin_anew)
    event = interrupted(again, lambda: made(first, scene))
    if not again.done:
        return False
    may = reached(scene.kind, other_page, (event,), False)  # the whole operation was on the new pool
    if event.does in (Does.NOTHING, Does.DENIED) or reached(scene.kind, target, (event,), False):
        may.append(numbered(other_page))  # it was done between the two pools, or before
    holds_one_of(scene, TARGET, may, f" in the new pool, after {event.does.value}")
    undisturbed(scene, ELSEWHERE)
    sound(scene)
    return event.does in (Does.NOTHING, Does.DENIED)
