"""What a slot may hold at a moment of a history: for people who read a counterexample, call by call."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import inf
from typing import Final, NamedTuple

from tmem.conformance.history.exhaustive import NOTHING, Effect, Part, State, effect, parts_of
from tmem.spec.belief import EMPTY, Belief
from tmem.spec.handle import Handle
from tmem.spec.history import Call
from tmem.spec.operations import Answer, FlushPage, Get, Operation, Put
from tmem.spec.slot import Does

STATES: Final = 2_000
"""The budget of states for one call: beyond it nothing is said."""
PARTS: Final = 120
"""The most parts of calls that are put in order; a flush object has one for each of its slots."""


class Held(NamedTuple):
    """What the slot of a call may hold when the call has returned.

    `beliefs` has one for each way in which the calls until then can be ordered; it is empty where there is no
    order. `before` are those without the call itself. `since` is the number of the last call that determined
    them, from 0; None where no call did, or where several overlap.
    """

    beliefs: tuple[Belief[bytes], ...]
    before: tuple[Belief[bytes], ...]
    since: int | None

    def words(self, page: Callable[[bytes], str], number: Callable[[int], str]) -> str:
        """It in a sentence; `page` names a page, and `number` a call.

        >>> a = Belief(b"A")
        >>> Held((a,), (EMPTY,), 2).words(bytes.decode, lambda call: f"#{call}")
        'The slot may hold A or nothing, since #2.'
        >>> Held((), (a, EMPTY), None).words(bytes.decode, lambda call: f"#{call}")
        'No order of the calls explains this answer: the slot may hold A or nothing.'
        """
        since = "" if self.since is None else f", since {number(self.since)}"
        if self.beliefs:
            return f"The slot {_options(self.beliefs, page)}{since}."
        if not self.before:
            return ""
        return f"No order of the calls explains this answer: the slot {_options(self.before, page)}{since}."


def _options(beliefs: Sequence[Belief[bytes]], page: Callable[[bytes], str]) -> str:
    pages = dict.fromkeys(page(each.page) for each in beliefs if each.page is not None)
    empty = any(not each.sure for each in beliefs)
    options = [*pages, *(["nothing"] if empty else [])]
    verb = "holds" if len(options) == 1 else "may hold"
    return f"{verb} {' or '.join(options)}"


def held(calls: Sequence[Call], n: int) -> Held | None:
    """What the slot of call `n` may hold when it has returned.

    None where the call has no slot, has not returned, or the calls are too many to try their orders.
    """
    operation, end = calls[n].operation, calls[n].end
    if not isinstance(operation, Put | Get | FlushPage) or end is None:
        return None
    begun = [m for m, call in enumerate(calls) if call.begin < end]
    effects = {m: _effect(calls[m].operation, calls[m].answer) for m in begun}
    others = [m for m in begun if m != n and effects[m] is not None]
    with_it = None if effects[n] is None else sorted([*others, n])
    slot = operation.client, operation.handle
    before = _beliefs(calls, others, end, slot)
    after = () if with_it is None else _beliefs(calls, with_it, end, slot)
    if before is None or after is None:
        return None
    return Held(after, before, _since(calls, with_it if after and with_it else others, end, operation.handle))


def _effect(operation: Operation, answer: Answer) -> Effect | None:
    try:
        return effect(operation, answer)
    except TypeError:  # an answer that cannot be hashed is none that is declared
        return None


def _beliefs(
    calls: Sequence[Call], chosen: Sequence[int], at: float, slot: tuple[int, Handle]
) -> tuple[Belief[bytes], ...] | None:
    # Of every order of the chosen calls in which those that have returned by then took effect.
    some = [calls[m] for m in chosen]
    effects = [_effect(call.operation, call.answer) or NOTHING for call in some]
    parts = sorted(parts_of(some, effects), key=lambda part: _end(some[part[0]]))
    if len(parts) > PARTS:
        return None
    ends = [_end(some[m]) for m, _ in parts]
    before = [(1 << bisect_left(ends, some[m].begin)) - 1 for m, _ in parts]
    must = sum(1 << place for place, end in enumerate(ends) if end <= at)
    return _Orders(parts, before, must, slot).beliefs()


class _Orders:
    """The orders of parts, of which those in `must` have to happen, and others may."""

    def __init__(
        self, parts: Sequence[Part], before: Sequence[int], must: int, slot: tuple[int, Handle]
    ) -> None:
        self._parts, self._before, self._must, self._slot = parts, before, must, slot
        self._state = State()
        self._known: set[object] = set()
        self._found: dict[Belief[bytes], None] = {}

    def beliefs(self) -> tuple[Belief[bytes], ...] | None:
        """What the slot may hold; None where there are too many states."""
        self._from((1 << len(self._parts)) - 1)
        return None if len(self._known) > STATES else tuple(self._found)

    def _from(self, todo: int) -> None:
        key = todo, self._state.snapshot()
        if key in self._known or len(self._known) > STATES:
            return
        self._known.add(key)
        if not todo & self._must:
            self._found.setdefault(self._belief())
        for place, (_, done) in enumerate(self._parts):
            if todo >> place & 1 and not self._before[place] & todo:
                undo = self._state.apply(done)
                if undo is not None:
                    self._from(todo & ~(1 << place))
                    undo()

    def _belief(self) -> Belief[bytes]:
        client, handle = self._slot
        pool = self._state.pools.get((client, handle.pool))
        return EMPTY if pool is None else self._state.beliefs.get((pool[1], handle.oid, handle.index), EMPTY)


def _end(call: Call) -> float:
    return inf if call.end is None else call.end


def _since(calls: Sequence[Call], chosen: Sequence[int], at: float, handle: Handle) -> int | None:
    touching = [m for m in chosen if _touches(calls[m], handle)]
    if not touching:
        return None
    last = max(touching, key=lambda m: _end(calls[m]))
    return last if all(m == last or calls[m].before(calls[last]) for m in touching) else None


def _touches(call: Call, handle: Handle) -> bool:
    done = _effect(call.operation, call.answer)
    if done is None or done.name is None or done.name[1] != handle.pool or done.event is None:
        return False
    if done.event.does is Does.ENDED:
        return True
    return done.oid == handle.oid and done.place in (None, handle.index)
