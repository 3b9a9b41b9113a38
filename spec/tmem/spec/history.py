"""Histories: calls that may overlap, and what it means that they could have happened one by one.

A history is linearizable if each call can be given one instant between its begin and its end so that,
in the order of these instants, every answer is one that `slot.after` allows (TMEM-CONC-1). Flush object
counts as one flush for each slot that it covers, at instants of their own (TMEM-CONC-2). This is the
definition, by trying all orders; it is for histories of a handful of calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tmem.spec.abi.flags import kind_of
from tmem.spec.answers import declared, event, refused, unflushed
from tmem.spec.operations import Answer, DestroyPool, FlushObject, FlushPage, Get, NewPool, Operation, Put
from tmem.spec.slot import Does, Event, Kind, after, vanished


@dataclass(frozen=True, slots=True)
class Call:
    """One operation as its caller saw it, from invocation to response.

    Times are of one clock, in any unit; of two calls only one that ended before the other began comes
    first. `end` is None for a call that never returned: it may take effect at any time, or not at all.
    """

    operation: Operation
    answer: Answer
    begin: float
    end: float | None

    def before(self, other: Call) -> bool:
        """Whether this call had returned when the other began."""
        return self.end is not None and not self.unsure and self.end < other.begin

    @property
    def unsure(self) -> bool:
        """Whether nothing is known of its effect: it never returned, or answered what nobody declares."""
        return self.end is None or not (declared(self.operation, self.answer) or refused(self.answer))


class Pool(NamedTuple):
    """What ⟨client, pool id⟩ stands for; sharers of a UUID stand for the same pages."""

    pages: tuple[object, ...]
    kind: Kind


Slot: TypeAlias = tuple[tuple[object, ...], int, int]


class State(NamedTuple):
    """A store: its pools by ⟨client, pool id⟩, and the slots that hold a page."""

    pools: frozenset[tuple[tuple[int, int], Pool]] = frozenset()
    pages: frozenset[tuple[Slot, bytes]] = frozenset()


class Effect(NamedTuple):
    """What a call does at one instant; `part` is the index of the one slot that a part of a flush covers."""

    call: Call
    operation: Operation
    part: int | None = None


def linearizable(calls: Sequence[Call], *, atomic_flush: bool = False) -> bool:
    """Whether the history of a store that was empty could have happened one call at a time.

    `atomic_flush` asks that each flush object takes effect on its whole object at one instant.

    >>> from tmem.spec import Handle
    >>> slot, new = Handle(0, 7, 3), Call(NewPool(1), 0, 0, 1)
    >>> put, get = Call(Put(1, slot, b"a"), True, 2, 5), Call(Get(1, slot), b"a", 4, 6)
    >>> linearizable([new, put, get]), linearizable([new, put, get, Call(Get(1, slot), b"a", 7, 8)])
    (True, False)
    """
    effects = [part for call in calls for part in _parts(call, calls, atomic_flush)]
    return _possible(effects, frozenset(range(len(effects))), State(), set())


def _parts(call: Call, calls: Sequence[Call], atomic_flush: bool) -> list[Effect]:
    operation = call.operation
    if not isinstance(operation, FlushObject) or atomic_flush or _denied(call):
        return [Effect(call, operation)]
    slots = {c.operation.handle for c in calls if isinstance(c.operation, Put | Get | FlushPage)}
    return [
        Effect(call, operation, index) for index in sorted({s.index for s in slots if s.oid == operation.oid})
    ]


def _denied(call: Call) -> bool:
    return not call.unsure and unflushed(call.operation, call.answer)


def _possible(effects: list[Effect], todo: frozenset[int], state: State, dead_ends: set[object]) -> bool:
    # Whether the rest of the effects can follow; what was tried in vain is not tried again.
    if all(effects[n].call.unsure for n in todo):
        return True
    if (todo, state) in dead_ends:
        return False
    dead_ends.add((todo, state))
    return any(
        _possible(effects, todo - {n}, then, dead_ends)
        for n in todo
        if not any(effects[m].call.before(effects[n].call) for m in todo)
        for then in _after(state, effects[n])
    )


def _after(state: State, effect: Effect) -> Iterator[State]:
    """Every state in which an effect may leave the store; none where it cannot happen now."""
    call, operation = effect.call, effect.operation
    match operation:
        case NewPool():
            granted = call.answer if type(call.answer) is int else None
            if granted is not None or call.unsure:
                yield from _joined(state, operation, granted)
            else:
                yield state
        case DestroyPool(client, pool):
            if call.unsure or event(operation, call.answer).does is Does.ENDED:
                yield _left(state, (client, pool))
            else:
                yield state
        case Put() | Get() | FlushPage() | FlushObject():
            for happened in _events(call):
                yield from _given(state, effect, happened)
        case _:
            yield state


def _joined(state: State, new: NewPool, granted: int | None) -> Iterator[State]:
    # A pool whose id was never answered has a name that no operation can use.
    name = (new.client, granted if granted is not None else -1 - len(state.pools))
    if any(name == taken for taken, _ in state.pools):
        return
    kind = kind_of(new.flags, new.uuid)
    pool = Pool(("shared", new.uuid) if kind.shared else name, kind)
    yield state._replace(pools=state.pools | {(name, pool)})


def _left(state: State, name: tuple[int, int]) -> State:
    gone = next((pool for taken, pool in state.pools if taken == name), None)
    pools = frozenset((taken, pool) for taken, pool in state.pools if taken != name)
    if gone is None or any(pool.pages == gone.pages for _, pool in pools):
        return State(pools, state.pages)
    return State(pools, frozenset((slot, page) for slot, page in state.pages if slot[0] != gone.pages))


def _events(call: Call) -> list[Event[bytes]]:
    # An unsure get needs no event but NOTHING: the page that it may have removed may vanish as well.
    if not call.unsure:
        return [event(call.operation, call.answer)]
    match call.operation:
        case Put(page=page):
            return [Event(Does.STORED, page), Event(Does.REFUSED)]
        case FlushPage() | FlushObject():
            return [Event(Does.FLUSHED)]
        case _:
            return [Event(Does.NOTHING)]


def _given(state: State, effect: Effect, happened: Event[bytes]) -> Iterator[State]:
    operation = effect.operation
    client, pool_id, oid, index = _target(operation, effect.part)
    pool = next((pool for name, pool in state.pools if name == (client, pool_id)), None)
    if pool is None:
        if happened.does not in (Does.STORED, Does.HIT):
            yield state
        return
    if _denied(effect.call):
        return
    if index is None:  # an atomic flush object
        kept = frozenset((s, page) for s, page in state.pages if s[:2] != (pool.pages, oid))
        yield state._replace(pages=kept if happened.does is Does.FLUSHED else state.pages)
        return
    slot = (pool.pages, oid, index)
    held = next((page for s, page in state.pages if s == slot), None)
    others = frozenset(entry for entry in state.pages if entry[0] != slot)
    for holds in {held, vanished(pool.kind, held)}:
        for now in after(pool.kind, holds, happened):
            yield state._replace(pages=others if now is None else others | {(slot, now)})


def _target(operation: Operation, index: int | None) -> tuple[int, int, int, int | None]:
    match operation:
        case FlushObject(client, pool, oid):
            return client, pool, oid, index
        case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
            return client, handle.pool, handle.oid, handle.index
    raise TypeError(f"{operation} has no slot")
