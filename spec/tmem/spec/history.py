"""Histories: calls that may overlap, and what it means that they could have happened one by one.

A history is linearizable if each call can be given one instant between its begin and its end so that,
in the order of these instants, every answer is right (TMEM-CONC-1). Flush object counts as one flush for
each slot that it covers, at instants of their own (TMEM-CONC-2). This is the definition, by trying all
orders; it is for histories of a handful of calls. Of calls that do not overlap there is one order, and
the judge of `tmem.model` accepts them exactly where they are linearizable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tmem.spec.abi.errors import POOL_REFUSED
from tmem.spec.abi.flags import kind_of, objection
from tmem.spec.answers import declared, event, fits, nowhere, refused
from tmem.spec.handle import POOL_BITS, Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Raised,
    Reclaim,
)
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
        return self.end is not None and self.end < other.begin


class Member(NamedTuple):
    """What ⟨client, pool id⟩ stands for; sharers of a UUID stand for the same pages.

    `asked` is the kind that new pool asked for, until the id is used or pool flags tell the kind.
    """

    pages: tuple[object, ...]
    kind: Kind
    uuid: int | None
    asked: Kind | None


Name: TypeAlias = tuple[int, int]
Slot: TypeAlias = tuple[tuple[object, ...], int, int]


class State(NamedTuple):
    """A store: its pools by ⟨client, pool id⟩, and the slots that hold a page."""

    pools: frozenset[tuple[Name, Member]] = frozenset()
    pages: frozenset[tuple[Slot, bytes]] = frozenset()

    def member(self, name: Name) -> Member | None:
        """What the name stands for, if for anything."""
        return next((member for taken, member in self.pools if taken == name), None)

    def give(self, name: Name, member: Member) -> State:
        """The name stands for this from now on."""
        kept = frozenset(entry for entry in self.pools if entry[0] != name)
        return self._replace(pools=kept | {(name, member)})


class Effect(NamedTuple):
    """What a call does at one instant; `part` is the index of the one slot that a part of a flush covers."""

    call: Call
    fits: bool
    part: int | None = None


def linearizable(calls: Sequence[Call], *, page_size: int | None = None, atomic_flush: bool = False) -> bool:
    """Whether the history of a store that was empty could have happened one call at a time.

    `page_size` is that of the store; without it a page may have any length. `atomic_flush` asks that each
    flush object takes effect on its whole object at one instant.

    >>> slot, new = Handle(0, 7, 3), Call(NewPool(1), 0, 0, 1)
    >>> put, get = Call(Put(1, slot, b"a"), True, 2, 5), Call(Get(1, slot), b"a", 4, 6)
    >>> linearizable([new, put, get]), linearizable([new, put, get, Call(Get(1, slot), b"a", 7, 8)])
    (True, False)
    """
    for call in calls:
        if call.end is not None and not _declared(call, page_size):
            return False
    effects = [part for call in calls for part in _parts(call, calls, page_size, atomic_flush)]
    return _possible(effects, frozenset(range(len(effects))), State(), set())


def follow(
    states: frozenset[State], call: Call, slots: Sequence[Handle], page_size: int | None = None
) -> frozenset[State]:
    """Every state in which a call that overlaps no other may leave a store in one of these states.

    `slots` are those in which a flush object is looked at. A history of calls that do not overlap is
    linearizable exactly if such steps, from the empty store on, lead somewhere.
    """
    if not _declared(call, page_size):
        return frozenset()
    asked = [Call(Get(0, slot), None, 0, 0) for slot in slots]
    for part in _parts(call, asked, page_size, atomic_flush=False):
        states = frozenset(then for state in states for then in _after(state, part))
    return states


def handles(calls: Sequence[Call]) -> list[Handle]:
    """The handles of all puts, gets and flush pages."""
    return [call.operation.handle for call in calls if isinstance(call.operation, Put | Get | FlushPage)]


def at_place(calls: Sequence[Call], oid: int, index: int) -> list[Call]:
    """The calls of a history that may concern this slot in some pool, those on pools included."""

    def concerns(operation: Operation) -> bool:
        match operation:
            case Put(handle=handle) | Get(handle=handle) | FlushPage(handle=handle):
                return handle.slot == (oid, index)
            case FlushObject(oid=other):
                return other == oid
        return True

    return [call for call in calls if concerns(call.operation)]


def _declared(call: Call, page_size: int | None) -> bool:
    operation, answer = call.operation, call.answer
    names_no_pool = isinstance(operation, NewPool | Reclaim)
    if not fits(operation, page_size):
        no_room = (
            isinstance(operation, NewPool) and isinstance(answer, Raised) and answer.errno in POOL_REFUSED
        )
        return no_room or refused(answer, live=names_no_pool)
    if not isinstance(operation, NewPool):
        return declared(operation, answer)
    if isinstance(answer, Raised):
        return answer.errno in POOL_REFUSED
    granted = type(answer) is int and 0 <= answer < 1 << POOL_BITS
    return granted and objection(operation.flags, page_size or 4096) is None


def _parts(call: Call, calls: Sequence[Call], page_size: int | None, atomic_flush: bool) -> Iterator[Effect]:
    operation, right = call.operation, fits(call.operation, page_size)
    whole = atomic_flush or not right or not isinstance(operation, FlushObject)
    if not isinstance(operation, FlushObject) or whole or event(operation, call.answer).does is Does.NOTHING:
        yield Effect(call, right)
        return
    yield Effect(call, right, -1)  # of no slot: at some instant of the call its answer is right
    for index in sorted({slot.index for slot in handles(calls) if slot.oid == operation.oid}):
        yield Effect(call, right, index)


def _possible(effects: list[Effect], todo: frozenset[int], state: State, dead_ends: set[object]) -> bool:
    # Whether the rest of the effects can follow; what was tried in vain is not tried again.
    if all(effects[n].call.end is None for n in todo):
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
    call, operation = effect.call, effect.call.operation
    unsure = call.end is None
    if isinstance(operation, NewPool | Reclaim):
        yield from _made(state, operation, call) if isinstance(operation, NewPool) else (state,)
        return
    name = _name(operation)
    member = state.member(name)
    if not effect.fits:
        if unsure or refused(call.answer, live=member is not None):
            yield state
    elif member is None:
        ended_meanwhile = effect.part is not None and effect.part >= 0
        if unsure or ended_meanwhile or nowhere(operation, call.answer):
            yield state
    elif isinstance(operation, DestroyPool):
        if unsure or event(operation, call.answer).does is Does.ENDED:
            yield _left(state, name)
    elif isinstance(operation, PoolFlags):
        yield from (state,) if unsure else _told(state, name, member, call.answer)
    elif unsure and isinstance(operation, Get):
        yield state  # the page that it may have removed may vanish as well
    elif member.asked is None or member.asked == member.kind:
        used = state.give(name, member._replace(asked=None))
        for happened in _events(call):
            yield from _given(used, member, operation, effect.part, happened)


def _made(state: State, new: NewPool, call: Call) -> Iterator[State]:
    # A pool whose id was never answered has a name that no operation can use.
    if isinstance(call.answer, Raised) and call.end is not None:
        yield state
        return
    granted = call.answer if type(call.answer) is int and call.end is not None else -1 - len(state.pools)
    name, asked = (new.client, granted), kind_of(new.flags, new.uuid)
    if state.member(name) is None:
        pages = ("shared", new.uuid) if asked.shared else name
        kind = next((member.kind for _, member in state.pools if member.pages == pages), asked)
        yield state.give(name, Member(pages, kind, new.uuid, asked))


def _told(state: State, name: Name, member: Member, answer: Answer) -> Iterator[State]:
    # Pool flags tell the kind of the pool; or, at first, that a shared request got a private pool.
    if not isinstance(answer, int) or objection(answer) not in (None, "the page size is not 4096"):
        return
    flagged = kind_of(answer, member.uuid)
    if flagged == member.kind:
        yield state.give(name, member._replace(asked=None))
    elif member.asked is not None and flagged == Kind(member.asked.persistent):
        yield _left(state, name).give(name, Member(name, flagged, member.uuid, None))


def _left(state: State, name: Name) -> State:
    gone = state.member(name)
    pools = frozenset((taken, member) for taken, member in state.pools if taken != name)
    if gone is None or any(member.pages == gone.pages for _, member in pools):
        return State(pools, state.pages)
    return State(pools, frozenset((slot, page) for slot, page in state.pages if slot[0] != gone.pages))


def _events(call: Call) -> list[Event[bytes]]:
    if call.end is not None:
        return [event(call.operation, call.answer)]
    if isinstance(call.operation, Put):
        return [Event(Does.STORED, call.operation.page), Event(Does.REFUSED)]
    return [Event(Does.FLUSHED)]


def _given(
    state: State, member: Member, operation: Operation, part: int | None, happened: Event[bytes]
) -> Iterator[State]:
    oid, index = _place(operation)
    index = part if index is None else index
    if index is None:  # an atomic flush object
        if happened.does is Does.FLUSHED:
            kept = frozenset((s, page) for s, page in state.pages if s[:2] != (member.pages, oid))
            yield state._replace(pages=kept)
        return
    slot = (member.pages, oid, index)
    held = next((page for s, page in state.pages if s == slot), None)
    others = frozenset(entry for entry in state.pages if entry[0] != slot)
    for holds in {held, vanished(member.kind, held)}:
        for now in after(member.kind, holds, happened):
            yield state._replace(pages=others if now is None else others | {(slot, now)})


def _name(operation: Operation) -> Name:
    match operation:
        case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
            return client, handle.pool
        case FlushObject(client, pool) | DestroyPool(client, pool) | PoolFlags(client, pool):
            return client, pool
    raise TypeError(f"{operation} has no pool id")


def _place(operation: Operation) -> tuple[int, int | None]:
    match operation:
        case Put(handle=handle) | Get(handle=handle) | FlushPage(handle=handle):
            return handle.slot
        case FlushObject(oid=oid):
            return oid, None
    raise TypeError(f"{operation} has no slot")
