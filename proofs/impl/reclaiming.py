"""The reclaimer by itself: it takes the oldest ephemeral pages, as many as asked for, and waits for none."""

from __future__ import annotations

from proofs.impl.contract import contract
from proofs.impl.copy import Current
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import sound
from proofs.impl.scene import CLIENT, SLOTS, Before, Scene, Slot
from proofs.impl.symbolic import among, decided, quietly
from tmem.impl.room import UNLIMITED
from tmem.spec.slot import Kind


def reclaimable(scene: Scene) -> list[Slot]:
    """Slots with pages that may go, in the order in which they were put."""
    kinds = {0: scene.kind, 1: Kind()}
    return [slot for slot, page in scene.before.items() if page is not None and not kinds[slot[0]].persistent]


def oldest_went(scene: Scene, count: int) -> None:
    """Exactly the `count` oldest of the pages that may go are gone; the order has the rest."""
    with quietly():
        may = reclaimable(scene)
        gone = [slot for slot in SLOTS if scene.before[slot] is not None and scene.holds(slot) is None]
        assert gone == may[:count], f"{gone} went, not {may[:count]}"
        assert scene.by_age() == may[count:], "the reclaim order"


@contract("TMEM-RECLAIM-1", "TMEM-HANDLE-1")
def reclaim_takes_the_oldest_and_no_more(before: Before, pages: int) -> bool:
    """Reclaim takes as many as asked for, or all there are; the oldest; and never a persistent page."""
    scene = Scene(before)
    asked = among(pages, range(len(SLOTS) + 2))
    with quietly():
        answer = scene.store.reclaim(asked)
        assert answer == min(asked, len(reclaimable(scene))), f"{answer} of {asked} were reclaimed"
    oldest_went(scene, answer)
    sound(scene)
    return 0 < answer < asked


@contract("TMEM-RECLAIM-1", "TMEM-CONC-3")
@at_every_point
def a_reclaim_within_a_reclaim_is_right(
    at: Moment, persistent: bool, target: int | None, beside: int | None, pages: int, hard: bool
) -> bool:
    """Two reclaimers take no page twice, and neither more than it was asked for; together the oldest."""
    scene = Scene(Before(Kind(persistent), target, beside, 1, 2, cluttered=True))
    asked = among(pages, range(1, len(SLOTS) + 1))
    other = Interruption(at, scene.room_is_free, lambda: scene.strike(len(SLOTS) if decided(hard) else 1))
    taken = interrupted(other, lambda: scene.reclaim(asked))
    assert taken <= asked, f"{taken} were reclaimed, {asked} asked for"
    together = taken + scene.struck
    assert taken == asked or together == len(reclaimable(scene)), "it gave up while there were pages"
    oldest_went(scene, together)
    sound(scene)
    return taken > 0 and scene.struck > 0


@contract("TMEM-RECLAIM-2", "TMEM-CONC-3")
def busy_pools_are_passed_over_and_keep_their_place(
    kind: Kind, target: int | None, beside: int | None, mine: bool, pages: int
) -> bool:
    """While somebody is in a pool its pages stay, in their order; one batch looks at a few entries only."""
    scene = Scene(Before(kind, target, beside, 1, 2, cluttered=False))
    asked, busy = among(pages, range(1, len(SLOTS) + 1)), 0 if decided(mine) else 1
    with quietly():
        may = reclaimable(scene)
        looked = may[: Current.copy.batch]
        free = [slot for slot in looked if slot[0] != busy]
        pool = scene.store._tables[CLIENT][busy]
        with pool.lock:
            struck = Current.copy.strike(scene.store._room, asked, UNLIMITED)
        assert scene.by_age() == [slot for slot in may if scene.holds(slot) is not None], "the reclaim order"
        assert struck.pages == len(may) - len(scene.by_age()) <= asked
        gone = [slot for slot in may if scene.holds(slot) is None]
        assert gone == free[: struck.pages], f"{gone} went, of {free}"
        passed = any(slot[0] == busy for slot in looked)
        assert struck.pages > 0 or struck.busy is (pool if passed else None), "who was busy"
    sound(scene)
    return struck.busy is not None and struck.pages > 0
