"""Theorems of `belief.learn`: it is exactly the determinisation of `slot.after` and `slot.vanished`.

A belief is the set of what a slot may hold. These theorems make the judge, which keeps one belief a
slot and never searches, neither too strict nor too lenient.
"""

from __future__ import annotations

from proofs.slot import carries_page
from proofs.theorem import theorem
from tmem.spec.belief import Belief, allows, learn
from tmem.spec.slot import Does, Event, Kind, after, vanished

JUDGED = (
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
"""The clauses that the judge decides by `learn`."""


def closed(kind: Kind, belief: Belief[int]) -> bool:
    """Whether the belief is a set that vanishing cannot leave: one is sure only of a persistent page."""
    return not belief.sure or (belief.page is not None and kind.persistent)


def members(belief: Belief[int]) -> list[int | None]:
    """Everything the belief allows."""
    return [holds for holds in (None, belief.page) if allows(belief, holds)]


@theorem(*JUDGED)
def learning_loses_nothing(
    kind: Kind, belief: Belief[int], holds: int | None, event: Event[int], early: bool, late: bool
) -> bool:
    """Where the slot can go, with vanishing before and after the event, the new belief allows it."""
    if not closed(kind, belief) or not allows(belief, holds) or not carries_page(event):
        return False
    learned = learn(kind, belief, event)
    steps = after(kind, vanished(kind, holds) if early else holds, event)
    for held in steps:
        assert learned is not None
        assert allows(learned, vanished(kind, held) if late else held)
    return event.does is Does.HIT and len(steps) > 0


@theorem(*JUDGED)
def learning_adds_nothing(kind: Kind, belief: Belief[int], event: Event[int]) -> bool:
    """What the new belief allows, the slot can reach from something that the old belief allowed."""
    if not closed(kind, belief) or not carries_page(event):
        return False
    learned = learn(kind, belief, event)
    if learned is None:
        return False
    reached = [
        end
        for holds in members(belief)
        for start in (holds, vanished(kind, holds))
        for held in after(kind, start, event)
        for end in (held, vanished(kind, held))
    ]
    for holds in members(learned):
        assert holds in reached
    return event.does is Does.HIT and learned.page is not None


@theorem(*JUDGED)
def what_is_refused_cannot_happen(
    kind: Kind, belief: Belief[int], holds: int | None, event: Event[int]
) -> bool:
    """An event that `learn` refuses is impossible from everything that the belief allows."""
    if not closed(kind, belief) or not allows(belief, holds) or not carries_page(event):
        return False
    if learn(kind, belief, event) is not None:
        return False
    assert after(kind, holds, event) == ()
    assert after(kind, vanished(kind, holds), event) == ()
    return holds is not None and event.does is Does.MISS


@theorem(*JUDGED)
def a_belief_stays_closed(kind: Kind, belief: Belief[int], event: Event[int]) -> bool:
    """A belief is nothing, a page, or a page or nothing; and it is sure only of persistent pages."""
    if not closed(kind, belief) or not carries_page(event):
        return False
    learned = learn(kind, belief, event)
    assert learned is None or closed(kind, learned)
    return learned is not None and learned.sure and event.does is Does.HIT
