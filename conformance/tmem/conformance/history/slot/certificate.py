"""Checks the evidence of a legal history: replays the linearization of a slot against the spec."""

from __future__ import annotations

from math import inf

from tmem.conformance.history.calls import Call, Page, end_of, page_of
from tmem.conformance.history.interpret import effect_of
from tmem.conformance.history.slot.linearization import Linearization
from tmem.spec.belief import Belief, learn
from tmem.spec.slot import Does, Event, Kind


def objection(found: Linearization) -> str | None:
    """Why these calls cannot have taken effect at these instants; None if they can."""
    may_hold: set[Belief[Page]] = {Belief()}
    kind: Kind | None = None
    now = -inf
    for time, what in found.effects:
        if time < now:
            return f"{what} at {time} comes after {now}"
        now = time
        if not isinstance(what, Call):
            may_hold, kind = {Belief()}, what
            continue
        if time < what.begin or (effect_of(what) is not None and time > end_of(what)):
            return f"{what} took effect at {time}, outside of {what.begin} to {what.end}"
        may_hold = {now for belief in may_hold for now in _after(kind, belief, what)}
        if not may_hold:
            return f"{what} at {time} is not allowed there"
    return None


def _after(kind: Kind | None, belief: Belief[Page], call: Call) -> set[Belief[Page]]:
    found: set[Belief[Page]] = set()
    for event in _events(call):
        if kind is None:
            learned = None if event.does in (Does.STORED, Does.HIT) else belief
        else:
            learned = learn(kind, belief, event)
        if learned is not None:
            found.add(learned)
    return found


def _events(call: Call) -> tuple[Event[Page], ...]:
    # What a call may have done to the slot.
    match effect_of(call):
        case Does.STORED:
            return (Event(Does.STORED, page_of(call)),)
        case Does.HIT:
            return (Event(Does.HIT, call.answer),)
        case Does() as does:
            return (Event(does),)
        case None if call.op == "put":
            return (Event(Does.STORED, page_of(call)), Event(Does.REFUSED))
        case None:
            return (Event(Does.FLUSHED),)
