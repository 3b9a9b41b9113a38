"""Replays an order of one slot against the spec: the check of the checker's own evidence."""

from __future__ import annotations

from math import inf

from tmem.conformance.history.calls import Call, Page, effect
from tmem.conformance.history.slot.frontier import events_of
from tmem.conformance.history.slot.linearization import Order
from tmem.spec.belief import Belief, learn
from tmem.spec.slot import Does, Kind


def objection(order: Order) -> str | None:
    """Why these steps cannot have happened at these moments; None where they can."""
    may_hold: set[Belief[Page]] = {Belief()}
    kind: Kind | None = None
    now = -inf
    for time, what in order.steps:
        if time < now:
            return f"{what} at {time} comes after {now}"
        now = time
        if not isinstance(what, Call):
            may_hold, kind = {Belief()}, what
            continue
        if time < what.begin or (what.end is not None and effect(what) is not None and time > what.end):
            return f"{what} took effect at {time}, outside of {what.begin} to {what.end}"
        may_hold = {now for belief in may_hold for now in _after(kind, belief, what)}
        if not may_hold:
            return f"{what} at {time} is not allowed there"
    return None


def _after(kind: Kind | None, belief: Belief[Page], call: Call) -> set[Belief[Page]]:
    found: set[Belief[Page]] = set()
    for event in events_of(call):
        if kind is None:
            learned = None if event.does in (Does.STORED, Does.HIT) else belief
        else:
            learned = learn(kind, belief, event)
        if learned is not None:
            found.add(learned)
    return found
