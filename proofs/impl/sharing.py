"""Pools that several clients share: joining, leaving, and the end of the pool, within one another."""

from __future__ import annotations

from proofs.impl.contract import contract
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import follows, holds_one_of, numbered, sound, undisturbed
from proofs.impl.scene import CLIENT, ELSEWHERE, OTHER, TARGET, Before, Scene
from proofs.impl.symbolic import decided
from tmem.spec.slot import Does, Kind

PARTNER = 2


@contract("TMEM-SHARE-2", "TMEM-POOL-2", "TMEM-POOL-3")
@at_every_point
def the_pages_stay_with_those_who_stay(at: Moment, persistent: bool, target: int | None, stays: bool) -> bool:
    """A sharer leaves, and the reclaimer strikes: those who stay find what was there; else all is gone."""
    scene = Scene(Before(Kind(persistent, shared=True), target, None, 1, 2, cluttered=True))
    staying = decided(stays)
    if staying:
        scene.new_pool(PARTNER)
    strike = Interruption(at, scene.room_is_free, lambda: scene.strike(1))
    ended = interrupted(strike, scene.destroy_pool)
    assert scene.get().does is Does.DENIED, "the id still stands for a pool"
    scene.client = PARTNER if staying else CLIENT
    for slot in (TARGET, OTHER):
        follows(scene, slot, *(() if staying else (ended,)))
    scene.client = CLIENT
    undisturbed(scene, ELSEWHERE)
    sound(scene)
    return staying and target is not None and scene.struck > 0


@contract("TMEM-SHARE-1", "TMEM-SHARE-2", "TMEM-POOL-1", "TMEM-CONC-1")
@at_every_point
def who_joins_while_the_last_leaves_gets_all_or_nothing(
    at: Moment, persistent: bool, target: int | None, page: int, joins_first: bool
) -> bool:
    """One sharer leaves, another joins, one within the other: they meet with all the pages, or not at all."""
    scene = Scene(Before(Kind(persistent, shared=True), target, None, 1, 2, cluttered=False), page)

    def join() -> None:
        assert scene.new_pool(PARTNER) == TARGET[0]

    def leave() -> None:
        scene.destroy_pool()

    inner, outer = (leave, join) if decided(joins_first) else (join, leave)
    other = Interruption(at, scene.nobody_is_in, inner)
    interrupted(other, outer)
    if not other.done:
        return False
    undisturbed(scene, ELSEWHERE)
    scene.client = PARTNER
    met = scene.holds(OTHER) is not None
    holds_one_of(scene, OTHER, [numbered(1 if met else None)])
    holds_one_of(
        scene, TARGET, [numbered(target if met else None)], ", not all that the pool held, or nothing"
    )
    assert scene.put().does is Does.STORED
    holds_one_of(scene, TARGET, [numbered(page)], ", not what was put")
    sound(scene)
    return met and target is not None
