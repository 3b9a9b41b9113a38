"""Many pages in one call: each is a put or a get of its own, whatever happens within the call."""

from __future__ import annotations

from collections.abc import Callable

from proofs.impl.calls import Call, made
from proofs.impl.contract import contract
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import follow_in_some_order, follows, sound, undisturbed
from proofs.impl.scene import BESIDE, ELSEWHERE, OTHER, TARGET, Before, Scene
from proofs.impl.strikes import strike
from proofs.impl.symbolic import decided
from proofs.impl.tokens import PUT_TOO
from tmem.spec.slot import Does, Event, Kind

MANY = (TARGET, BESIDE, OTHER)
"""Slots of two objects; more than are done in one hold of the lock."""


def overlap(scene: Scene, many: Callable[[], list[Event[int]]], other: Call, at: Moment) -> Event[int] | None:
    """What the other operation did at the target, within that of many pages; None where it found no point."""
    events: list[Event[int]] = []

    def meanwhile() -> None:
        events.append(made(other, scene, page=PUT_TOO))

    answers = interrupted(Interruption(at, scene.nobody_is_in, meanwhile), many)
    if not events:
        return None
    for slot, event in zip(MANY, answers, strict=True):
        if slot == TARGET or (slot == BESIDE and other is Call.FLUSH_OBJECT):
            follow_in_some_order(scene, slot, event, events[0])
        else:
            follows(scene, slot, event)
    undisturbed(scene, ELSEWHERE)
    sound(scene)
    return events[0]


@contract("TMEM-CONC-1", "TMEM-PUT-2", "TMEM-PUT-3")
@at_every_point
def put_many_that_others_overlap_is_right(
    at: Moment, kind: Kind, page: int, other_page: int, other: Call
) -> bool:
    """Each page of a put_many is put as by itself, and any operation happens between two of its steps."""
    scene = Scene(Before(kind, None, 1, 2, 3, False), page, other_page)
    event = overlap(scene, lambda: scene.put_many(MANY), other, at)
    return event is not None and other is Call.PUT


@contract("TMEM-CONC-1", "TMEM-GET-1", "TMEM-GET-2", "TMEM-GET-3")
@at_every_point
def get_many_that_others_overlap_is_right(
    at: Moment, kind: Kind, target: int, other_page: int, other: Call
) -> bool:
    """Each page of a get_many is got as by itself, and any operation happens between two of its steps."""
    scene = Scene(Before(kind, target, 1, 2, 3, False), put_too=other_page)
    event = overlap(scene, lambda: scene.get_many(MANY), other, at)
    return event is not None and event.does is Does.HIT


@contract("TMEM-PUT-2", "TMEM-GET-1", "TMEM-RECLAIM-2")
@at_every_point
def many_under_a_strike_are_right(at: Moment, kind: Kind, page: int, puts: bool) -> bool:
    """The reclaimer strikes within a put_many or a get_many: each page is stored, hit or reclaimed before."""
    scene = Scene(Before(kind, 0, 1, 2, 3, cluttered=False), page)
    many = scene.put_many if decided(puts) else scene.get_many
    answers = interrupted(strike(scene, at, hard=True), lambda: many(MANY))
    for slot, event in zip(MANY, answers, strict=True):
        follows(scene, slot, event)
    undisturbed(scene, ELSEWHERE)
    sound(scene)
    return scene.struck > 0 and answers[0].does is Does.HIT
