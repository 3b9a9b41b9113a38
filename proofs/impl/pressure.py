"""Puts where room is short: a budget, pages and old pages of any size, a host or a PAM that refuses."""

from __future__ import annotations

from enum import Enum

from proofs.impl.contract import contract
from proofs.impl.interruption import Interruption, Moment, at_every_point, interrupted
from proofs.impl.judged import follows, sound, undisturbed
from proofs.impl.scene import BESIDE, CLIENT, ELSEWHERE, OTHER, TARGET, Before, Scene
from proofs.impl.tokens import PUT
from tmem.impl.room import OBJECT, POOL
from tmem.spec.slot import Does, Kind


@contract("TMEM-PUT-1", "TMEM-PUT-3", "TMEM-RECLAIM-1")
def a_put_fits_the_budget_or_fails(
    kind: Kind, target: int | None, page: int, size: int, old_size: int, spare: int, ahead: int
) -> bool:
    """Of any sizes: the budget holds, and a put fails just if its page cannot fit beside persistent ones."""
    if size < 1 or old_size < 1 or spare < 0 or ahead < 0:
        return False
    scene = Scene(Before(kind, target, None, 1, 2, cluttered=False), page)
    room = scene.squeeze(old_size, spare, ahead)
    scene.pam.sizes[PUT] = size
    event = scene.put()
    assert room.used <= room.budget, "beyond the budget"
    follows(scene, TARGET, event)
    scene.struck = scene.store.counters().pages_reclaimed
    undisturbed(scene, OTHER, ELSEWHERE)
    pool = scene.store._tables[CLIENT][0]
    least = 2 * POOL + size + pool.cost + OBJECT
    if scene.kind.persistent:
        least += 1 + pool.cost + OBJECT
    assert (event.does is Does.STORED) == (least <= room.budget), "there was room, or was not"
    sound(scene, symbolic=True)
    return event.does is Does.STORED and spare == 0


class Refusal(Enum):
    """Who has no memory for what."""

    PAM = "the PAM for a page"
    PAGE = "the host for a page"
    OBJECT = "the host for an object"


class Sparing:
    """A host that counts what is taken and given back, and refuses what the contract chooses."""

    def __init__(self) -> None:
        self.objects = self.bytes = 0
        self.refuses: Refusal | None = None

    def obj_alloc(self) -> None:
        if self.refuses is Refusal.OBJECT:
            raise MemoryError(self.refuses.value)
        self.objects += 1

    def obj_free(self) -> None:
        self.objects -= 1

    def page_alloc(self, size: int) -> None:
        if self.refuses is Refusal.PAGE:
            raise MemoryError(self.refuses.value)
        self.bytes += size

    def page_free(self, size: int) -> None:
        self.bytes -= size


@contract("TMEM-PUT-1", "TMEM-PUT-3", "TMEM-RECLAIM-2")
@at_every_point
def a_put_that_is_refused_memory_leaves_nothing(
    at: Moment, kind: Kind, target: int | None, beside: int | None, page: int, refusal: Refusal
) -> bool:
    """Where the PAM or the host refuses memory, neither page is ever seen again; with a strike meanwhile."""
    host = Sparing()
    scene = Scene(Before(kind, target, beside, 1, 2, cluttered=False), page, host=host)
    host.refuses = next(each for each in Refusal if refusal is each)
    scene.pam.refuses = host.refuses is Refusal.PAM
    strike = Interruption(at, scene.room_is_free, lambda: scene.strike(1))
    event = interrupted(strike, scene.put)
    follows(scene, TARGET, event)
    undisturbed(scene, BESIDE, OTHER, ELSEWHERE)
    sound(scene)
    pools = scene.store._tables[CLIENT].values()
    assert host.objects == sum(len(pool.objects) for pool in pools), "objects given back"
    assert host.bytes == scene.pam.kept(), "pages given back"
    assert event.does is Does.REFUSED or host.refuses is Refusal.OBJECT, "it was stored in spite of all"
    return event.does is Does.REFUSED and target is not None and scene.struck > 0
