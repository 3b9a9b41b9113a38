"""Compares what the store under proof holds with what the semantics of a slot allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proofs.impl.scene import ELSEWHERE, Scene, Slot
from proofs.impl.symbolic import decided, quietly, symbolically
from tests.impl.audit import audit
from tmem.spec.slot import Does, Event, Kind, after, vanished


class Number:
    """The number of a page. CrossHair compares two only if they are not one object."""

    __slots__ = ("number",)
    __hash__ = None  # type: ignore[assignment]  # equal where CrossHair says so

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return False
        if self.number is other.number:
            return True
        with symbolically():
            return decided(self.number == other.number)


def numbered(page: int | None) -> Number | None:
    """The page as a number that can be compared where CrossHair does not look."""
    return None if page is None else Number(page)


def reached(
    kind: Kind, holds: int | None, events: Iterable[Event[int]], vanishing: bool
) -> list[Number | None]:
    """Everything a slot may hold after these events in this order, its page vanishing anywhere or never.

    NOTHING is the event of a call that found no pool.
    """
    states = [numbered(holds)]
    for event in events:
        if event.does is Does.NOTHING:
            continue
        does = Event(event.does, numbered(event.page))
        states = [then for held in _open(kind, states, vanishing) for then in after(kind, held, does)]
    return _open(kind, states, vanishing)


def _open(kind: Kind, states: list[Number | None], vanishing: bool) -> list[Number | None]:
    return states + [vanished(kind, held) for held in states] if vanishing else states


def follows(scene: Scene, slot: Slot, *events: Event[int]) -> None:
    """These events are possible in this order, and lead to what the slot holds now."""
    with quietly():
        kind = Kind() if slot[0] == ELSEWHERE[0] else scene.kind
        may = reached(kind, scene.before[slot], events, scene.struck > 0)
        assert may, f"{slot}: {[event.does.value for event in events]} cannot be"
        holds_one_of(scene, slot, may)


def holds_one_of(scene: Scene, slot: Slot, may: Sequence[Number | None], why: str = "") -> None:
    """The slot holds one of these pages, or nothing if that is among them; `why` says how it came to be."""
    with quietly():
        now = scene.holds(slot)
        if numbered(now) not in may:
            with symbolically():
                raise AssertionError(f"{slot} holds {now}{why}")


def follow_in_some_order(scene: Scene, slot: Slot, one: Event[int], two: Event[int]) -> None:
    """The two overlapped: in one of their orders they are possible and lead to what the slot holds now."""
    with quietly():
        orders = ((one, two), (two, one))
        may = [then for order in orders for then in reached(scene.kind, scene.before[slot], order, False)]
        holds_one_of(scene, slot, may, f" after {one.does.value} and {two.does.value}")


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
