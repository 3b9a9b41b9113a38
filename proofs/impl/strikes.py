"""Each operation is right if the reclaimer strikes between any two of its statements.

It strikes at each point at which the room's lock is free. The operation may hold the pool's lock there:
then the reclaimer passes that pool over. A `hard` strike takes every page that it can, any other strike the
oldest page.
"""

from __future__ import annotations

from proofs.impl.contract import contract
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import follows, sound, undisturbed
from proofs.impl.scene import BESIDE, ELSEWHERE, OTHER, SLOTS, TARGET, Before, Scene
from proofs.impl.symbolic import decided
from tmem.spec.slot import Does, Kind


def strike(scene: Scene, at: Moment, hard: bool) -> Interruption:
    """A strike of the reclaimer at this moment."""
    return Interruption(at, scene.room_is_free, lambda: scene.strike(len(SLOTS) if decided(hard) else 1))


@contract("TMEM-GET-1", "TMEM-GET-2", "TMEM-GET-3", "TMEM-RECLAIM-1", "TMEM-RECLAIM-2")
@at_every_point
def a_get_under_a_strike_is_right(at: Moment, before: Before, hard: bool) -> bool:
    """A get returns the page of the slot, or misses if it was reclaimed; a hit keeps or removes the page."""
    scene = Scene(before)
    event = interrupted(strike(scene, at, hard), scene.get)
    follows(scene, TARGET, event)
    undisturbed(scene, BESIDE, OTHER, ELSEWHERE)
    sound(scene)
    return scene.struck > 0 and event.does is Does.HIT


@contract("TMEM-PUT-2", "TMEM-PUT-3", "TMEM-RECLAIM-1", "TMEM-RECLAIM-2")
@at_every_point
def a_put_under_a_strike_is_right(at: Moment, before: Before, page: int, hard: bool) -> bool:
    """A put replaces whatever the slot held; the reclaimer may take the old page but not the new one."""
    scene = Scene(before, page)
    event = interrupted(strike(scene, at, hard), scene.put)
    follows(scene, TARGET, event)
    undisturbed(scene, BESIDE, OTHER, ELSEWHERE)
    sound(scene)
    assert event.does is Does.STORED, "there was room"
    return scene.struck > 0 and before.target is not None


@contract("TMEM-FLUSH-1", "TMEM-HANDLE-1", "TMEM-RECLAIM-2")
@at_every_point
def a_flush_under_a_strike_is_right(at: Moment, before: Before, hard: bool) -> bool:
    """A flush leaves nothing in its slot, and all others alone."""
    scene = Scene(before)
    event = interrupted(strike(scene, at, hard), scene.flush_page)
    follows(scene, TARGET, event)
    undisturbed(scene, BESIDE, OTHER, ELSEWHERE)
    sound(scene)
    return scene.struck > 0 and event.does is Does.FLUSHED and before.target is not None


@contract("TMEM-FLUSH-2", "TMEM-CONC-2", "TMEM-RECLAIM-2")
@at_every_point
def flush_object_under_a_strike_is_right(at: Moment, before: Before, hard: bool) -> bool:
    """A flush of an object empties its slots and leaves all others alone, also while pages are given back."""
    scene = Scene(before)
    event = interrupted(strike(scene, at, hard), scene.flush_object)
    follows(scene, TARGET, event)
    follows(scene, BESIDE, event)
    undisturbed(scene, OTHER, ELSEWHERE)
    sound(scene)
    return scene.struck > 0 and event.does is Does.FLUSHED and before.target is not None


@contract("TMEM-POOL-3", "TMEM-POOL-2", "TMEM-RECLAIM-2")
@at_every_point
def destroy_pool_under_a_strike_is_right(at: Moment, kind: Kind, target: int | None, hard: bool) -> bool:
    """The end of a pool empties its slots and leaves other pools alone, also while pages are given back."""
    scene = Scene(Before(kind, target, 1, 2, 3, cluttered=True))
    event = interrupted(strike(scene, at, hard), scene.destroy_pool)
    for slot in (TARGET, BESIDE, OTHER):
        follows(scene, slot, event)
    undisturbed(scene, ELSEWHERE)
    sound(scene)
    assert scene.get().does is Does.DENIED, "the id still stands for a pool"
    return scene.struck > 0 and target is not None
