"""Decides histories of a handful of calls, exactly, by depth-first search over the orders of the calls.

`answers.event` says what an answer means, and `belief.learn` what it does to a slot. The result is that of
`spec.history`, in microseconds where that takes milliseconds.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from tmem.model.judge import Judge
from tmem.model.violation import Violation
from tmem.spec.abi.flags import PERSIST, SHARED, kind_of
from tmem.spec.answers import declared, event, nowhere
from tmem.spec.belief import EMPTY, Belief, learn
from tmem.spec.handle import Handle
from tmem.spec.history import Call
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
)
from tmem.spec.slot import Does, Event, Kind

Judging = Callable[[Sequence[Call]], "Breach | None"]
"""Finds what is wrong with a history; None if nothing is."""

Name = tuple[int, int]
SlotKey = tuple[object, int, int]
"""The pages of a pool, the object id and the index."""
Part = tuple[int, "Effect"]
"""One thing that the call of this number did."""


class Breach(NamedTuple):
    """A broken clause: a sentence, what would have been allowed, and the call after which no order is left.

    `call` counts by invocation, from 0. The sentence names calls #1, #2, … in the order of their invocation,
    too; pool flags have no number there.
    """

    clause: str
    message: str
    allowed: str
    call: int


class Effect(NamedTuple):
    """What a call does at one instant: to the slot at index `place`; if that is None, to an object or pool.

    A new pool has a `grant`: its name, kind and pages. Pool flags have `kinds`, those that the pool may be
    of. `nowhere`: an id that stands for no pool may answer so.
    """

    name: Name | None = None
    oid: int = 0
    place: int | None = None
    event: Event[bytes] | None = None
    grant: tuple[Name, Kind, object] | None = None
    kinds: frozenset[Kind] | None = None
    nowhere: bool = True


class State:
    """Pools by name and beliefs by slot. What is applied can be undone."""

    __slots__ = ("beliefs", "log", "pools")

    def __init__(self) -> None:
        self.pools: dict[Name, tuple[Kind, object, Kind]] = {}
        """The kind of each pool, its pages, and the kind that its client asked for or pool flags reported."""
        self.beliefs: dict[SlotKey, Belief[bytes]] = {}

    def apply(self, effect: Effect) -> Callable[[], None] | None:
        """Apply an effect. Returns how to undo it, or None if it cannot happen now."""
        if effect.grant is not None:
            return self._join(*effect.grant)
        if effect.name is None:
            return _nothing
        found = self.pools.get(effect.name)
        if found is None:
            return _nothing if effect.nowhere else None
        kind, pages, relied = found
        if effect.kinds is not None:
            return _nothing if kind in effect.kinds else None
        happened = effect.event
        if happened is None or happened.does is Does.NOTHING:
            return None
        if happened.does is Does.ENDED:
            return self._leave(effect.name)
        if relied != kind:
            return None
        if effect.place is None:
            return self._drop([s for s in self.beliefs if s[:2] == (pages, effect.oid)])
        slot = (pages, effect.oid, effect.place)
        before = self.beliefs.get(slot, EMPTY)
        learned = learn(kind, before, happened)
        if learned is None:
            return None
        if learned == before:
            return _nothing
        self.beliefs[slot] = learned

        def undo() -> None:
            self.beliefs[slot] = before

        return undo

    def _join(self, name: Name, kind: Kind, pages: object) -> Callable[[], None] | None:
        if name in self.pools:
            return None
        makers = next((held[0] for held in self.pools.values() if held[1] == pages), kind)
        self.pools[name] = (makers, pages, kind)

        def undo() -> None:
            del self.pools[name]

        return undo

    def _leave(self, name: Name) -> Callable[[], None]:
        left = self.pools.pop(name, None)
        if left is None:
            return _nothing
        pages = left[1]
        ended = not any(each[1] == pages for each in self.pools.values())
        restore = self._drop([s for s in self.beliefs if ended and s[0] == pages])

        def undo() -> None:
            self.pools[name] = left
            restore()

        return undo

    def _drop(self, slots: list[SlotKey]) -> Callable[[], None]:
        gone = {slot: self.beliefs.pop(slot) for slot in slots}
        return lambda: self.beliefs.update(gone)

    def snapshot(self) -> object:
        """A value that is equal for equal states."""
        held = frozenset((slot, belief) for slot, belief in self.beliefs.items() if belief.page is not None)
        return frozenset(self.pools.items()), held


def _nothing() -> None:
    return


class Search:
    """The orders of one history. `furthest` is the longest that the contract allows, and what then failed.

    `parts` are effects with the number of their call; a flush object has one for each slot that it covers.
    `granted` holds, by the number of a call, the effects that it may have had instead.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        effects: Sequence[Effect],
        granted: Mapping[int, tuple[Effect, ...]],
        atomic_flush: bool,
    ) -> None:
        parts = sorted(parts_of(calls, effects, atomic_flush), key=lambda part: calls[part[0]].end or 0)
        ends = [calls[n].end or 0 for n, _ in parts]
        self.parts = [(n, granted.get(n) or (done,)) for n, done in parts]
        self.before = [(1 << bisect_left(ends, calls[n].begin)) - 1 for n, _ in parts]
        self.furthest: tuple[list[Part], Part] | None = None
        self._state = State()
        self._dead_ends: set[object] = set()
        self._path: list[Part] = []

    def possible(self) -> bool:
        """Whether there is an order that the contract allows."""
        return self._from((1 << len(self.parts)) - 1)

    def _from(self, todo: int) -> bool:
        if not todo:
            return True
        if self._dead_ends and (todo, self._state.snapshot()) in self._dead_ends:
            return False
        for n in range((todo & -todo).bit_length() - 1, len(self.parts)):
            if not todo >> n & 1 or self.before[n] & todo:
                continue
            call, able = self.parts[n]
            for done in able:
                undo = self._state.apply(done)
                if undo is None:
                    if self.furthest is None or len(self._path) > len(self.furthest[0]):
                        self.furthest = (list(self._path), (call, done))
                    continue
                self._path.append((call, done))
                if self._from(todo & ~(1 << n)):
                    return True
                self._path.pop()
                undo()
        self._dead_ends.add((todo, self._state.snapshot()))
        return False


def violation_in(calls: Sequence[Call], atomic_flush: bool = False) -> Breach | None:
    """What is wrong with a history of calls that all returned, on a store that was empty.

    Pages are compared only: two bytes stand for each. With `atomic_flush`, flush object has one instant for
    the whole object; if nothing else is wrong, the claim is broken.
    """
    effects: list[Effect] = []
    for n, call in enumerate(calls):
        done = _effect(call)
        if done is None:
            return _breach(Judge(PAGE).observe(call.operation, call.answer), call.operation, call.answer, n)
        effects.append(done)
    asked = any(type(call.operation) is PoolFlags for call in calls)
    search = Search(calls, effects, _granted(calls, effects) if asked else {}, atomic_flush)
    if search.possible():
        return None
    assert search.furthest is not None
    breach = _explained(calls, *search.furthest)
    if atomic_flush and violation_in(calls) is None:  # only the claim is broken
        return breach._replace(
            clause=ATOMIC, allowed=f"{breach.allowed}, or what comes of one instant for all"
        )
    return breach


def _explained(calls: Sequence[Call], path: Sequence[Part], failed: Part) -> Breach:
    sequential = Judge(PAGE)
    numbers: dict[int, int] = {}  # of the sequential judge, and the call that it means
    found: Violation | None = None
    for n, done in [*path, failed]:
        found = sequential.observe(_alone(calls[n].operation, done), calls[n].answer)
        if type(calls[n].operation) is not PoolFlags:
            numbers[sequential.record.count] = n
    last = failed[0]
    operation, answer = _alone(calls[last].operation, failed[1]), calls[last].answer
    breach = _breach(found, operation, answer, last)
    steps = accumulate(type(call.operation) is not PoolFlags for call in calls)
    named = dict(enumerate(steps))

    def renumber(text: str) -> str:
        return re.sub(r"#(\d+)", lambda number: f"#{named[numbers[int(number[1])]]}", text)

    return breach._replace(message=renumber(breach.message), allowed=renumber(breach.allowed))


def _granted(calls: Sequence[Call], effects: Sequence[Effect]) -> dict[int, tuple[Effect, ...]]:
    # New pools with the kinds that pool flags answered, in the place of those that were asked for. There is
    # more than one if it is open which pool of an id they were about: the pool may have ended meanwhile.
    answers: dict[Name, list[Answer]] = {}
    for call in calls:
        if isinstance(call.operation, PoolFlags):
            answers.setdefault((call.operation.client, call.operation.pool), []).append(call.answer)
    ended = {done.name for done in effects if done.event is not None and done.event.does is Does.ENDED}
    granted: dict[int, tuple[Effect, ...]] = {}
    for n, (call, done) in enumerate(zip(calls, effects, strict=True)):
        name = done.grant[0] if done.grant is not None else done.name
        if done.grant is not None and isinstance(call.operation, NewPool) and name in answers:
            kinds, uuid = _kinds(call.operation, answers[name], name in ended), call.operation.uuid
            granted[n] = tuple(Effect(grant=(name, kind, uuid if kind.shared else name)) for kind in kinds)
    return granted


def _kinds(new: NewPool, answers: Sequence[Answer], ended: bool) -> list[Kind]:
    # What pool flags answered, of this pool or another one of its id; if nothing, what was asked for.
    kinds = dict.fromkeys(kind_of(flags, new.uuid) for flags in answers if isinstance(flags, int))
    if all(isinstance(flags, int) for flags in answers):
        return list(kinds)
    if ended:  # before its flags were asked for, so it may have been of any kind
        return [kind_of(bits, new.uuid) for bits in (0, PERSIST, SHARED, PERSIST | SHARED)]
    return list({kind_of(new.flags, new.uuid): None, **kinds})


def _breach(found: Violation | None, operation: Operation, answer: Answer, call: int) -> Breach:
    if found is None:
        message = f"{type(operation).__name__} answered {answer!r}, which no order of the calls allows."
        return Breach("TMEM-CONC-1", message, "an answer that some order of the calls gives", call)
    return Breach(found.clause, found.message, found.allowed, call)


def undeclared(calls: Sequence[Call]) -> bool:
    """Whether a call answered a value that is not declared for it."""
    return any(_effect(call) is None for call in calls)


def _alone(operation: Operation, done: Effect) -> Operation:
    if isinstance(operation, FlushObject) and done.place is not None:
        return FlushPage(operation.client, Handle(operation.pool, operation.oid, done.place))
    if isinstance(operation, NewPool) and done.grant is not None:
        kind = done.grant[1]
        bits = kind.persistent * PERSIST | kind.shared * SHARED
        return replace(operation, flags=operation.flags & ~(PERSIST | SHARED) | bits)
    return operation


def _effect(call: Call) -> Effect | None:
    try:
        return effect(call.operation, call.answer)
    except TypeError:  # no declared answer is unhashable
        return None


def parts_of(calls: Sequence[Call], effects: Sequence[Effect], atomic_flush: bool = False) -> Iterator[Part]:
    """What the calls did, part by part: a flush object flushes each slot on its own, unless it is atomic."""
    indexes: dict[int, set[int]] = {}
    for call in calls:
        if isinstance(call.operation, Put | Get | FlushPage):
            handle = call.operation.handle
            indexes.setdefault(handle.oid, set()).add(handle.index)
    for n, whole in enumerate(effects):
        if whole is NOTHING:
            continue
        flushed = whole.event is not None and whole.event.does is Does.FLUSHED
        if isinstance(calls[n].operation, FlushObject) and flushed and not atomic_flush:
            for index in indexes.get(whole.oid, ()):
                yield n, whole._replace(place=index, nowhere=True)  # the pool may have ended meanwhile
            yield n, whole._replace(place=-1)  # of no slot: at some instant its answer is right
        else:
            yield n, whole


@lru_cache(1 << 12, typed=True)  # True is not 1 here
def effect(operation: Operation, answer: Answer) -> Effect | None:
    """The effect of an operation by its answer: NOTHING if unknown, None if the answer is undeclared."""
    if not declared(operation, answer):
        return None
    happened, dead = event(operation, answer), nowhere(operation, answer)
    match operation:
        case NewPool(client, flags, uuid) if type(answer) is int:
            kind, name = kind_of(flags, uuid), (client, answer)
            return Effect(grant=(name, kind, uuid if kind.shared else name))
        case DestroyPool(client, pool):
            return Effect((client, pool), event=happened, nowhere=dead)
        case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
            return Effect((client, handle.pool), handle.oid, handle.index, happened, nowhere=dead)
        case FlushObject(client, pool, oid):
            return Effect((client, pool), oid, None, happened, nowhere=dead)
        case PoolFlags(client, pool) if isinstance(answer, int):
            kinds = frozenset({kind_of(answer), kind_of(answer, 0)})
            return Effect((client, pool), kinds=kinds, nowhere=dead)
    return NOTHING


ATOMIC: Final = "atomic-flush"
NOTHING: Final = Effect()
PAGE: Final = 2
"""Bytes that stand for a page."""
