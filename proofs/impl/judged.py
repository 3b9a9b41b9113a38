"""What may be after what was: the store under proof, compared with the semantics of a slot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proofs.impl.scene import ELSEWHERE, Scene, Slot
from proofs.impl.symbolic import quietly, symbolically
from tests.impl.audit import audit
from tmem.spec.slot import Does, Event, Kind, after, vanished


def reached(
    kind: Kind, holds: int | None, events: Iterable[Event[int]], vanishing: bool
) -> Sequence[int | None]:
    """Everything a slot may hold after these events in this order, its page vanishing anywhere or never.

    NOTHING is the event of a call that found no pool.
    """
    states: list[int | None] = [holds]
    for event in events:
        if event.does is Does.NOTHING:
            continue
        states = [then for held in _open(kind, states, vanishing) for then in after(kind, held, event)]
    return _open(kind, states, vanishing)


def _open(kind: Kind, states: list[int | None], vanishing: bool) -> list[int | None]:
    return states + [vanished(kind, held) for held in states] if vanishing else states


def follows(scene: Scene, slot: Slot, *events: Event[int]) -> None:
    """These events are possible in this order, and lead to what the slot holds now."""
    kind = Kind() if slot[0] == ELSEWHERE[0] else scene.kind
    may = reached(kind, scene.before[slot], events, scene.struck > 0)
    now = scene.holds(slot)
    assert may, f"{slot}: {[event.does.value for event in events]} cannot be"
    assert now in may, f"{slot} holds {now}"


def follow_in_some_order(scene: Scene, slot: Slot, one: Event[int], two: Event[int]) -> None:
    """The two overlapped: in one of their orders they are possible and lead to what the slot holds now."""
    held, now = scene.before[slot], scene.holds(slot)
    orders = ((one, two), (two, one))
    assert any(now in reached(scene.kind, held, order, vanishing=False) for order in orders), (
        f"{slot}: {one.does.value} and {two.does.value} cannot lead to {now}"
    )


def undisturbed(scene: Scene, *slots: Slot) -> None:
    """These slots hold what they held, or nothing where the reclaimer took an ephemeral page."""
    with quietly():
        changed = [slot for slot in slots if scene.holds(slot) is not scene.before[slot]]
    for slot in changed:
        follows(scene, slot)


def sound(scene: Scene, symbolic: bool = False) -> None:
    """Nobody is at work: every count, byte and entry of the store has its cause, and no page is lost."""
    with symbolically() if symbolic else quietly():
        audit(scene.store)
        pages = scene.store.counters().pages
        assert scene.pam.kept() == pages, f"{scene.pam.kept()} pages are kept, {pages} are held"
