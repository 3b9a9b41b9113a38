"""Interprets each call of a history, once: what its answer says that it did, and to which slots.

The result lists the calls of each slot by what they did there. Nothing behind this module looks at
operations and answers again, apart from what shows calls to people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import inf
from typing import Final

from tmem.conformance.history.calls import Call, Name, Page, Perhaps
from tmem.spec.answers import declared, event, refused
from tmem.spec.handle import in_range
from tmem.spec.operations import SIGNATURES, Operation, Raised, from_flat
from tmem.spec.slot import Does


class SlotCalls:
    """The calls on one slot, or the flushes of one object, by what they did. Each list is in any order."""

    __slots__ = (
        "denied",
        "emptied",
        "hits",
        "maybe_emptied",
        "maybe_stored",
        "misses",
        "stored",
        "unflushed",
    )

    def __init__(self) -> None:
        self.stored: list[Call] = []
        """Puts that stored their page."""
        self.maybe_stored: list[Perhaps] = []
        """Puts that stored their page, or failed and left nothing, or have not happened."""
        self.hits: list[Call] = []
        self.misses: list[Call] = []
        self.denied: list[Call] = []
        """Gets that raised an errno: not allowed while a persistent page is there."""
        self.emptied: list[Call] = []
        """Puts that failed, and flushes."""
        self.maybe_emptied: list[Perhaps] = []
        self.unflushed: list[Call] = []
        """Flushes that raised an errno: at some instant of such a call there was no pool."""

    @property
    def sure(self) -> Iterator[Call]:
        """The calls that certainly did something, or showed something."""
        for calls in (self.stored, self.hits, self.misses, self.denied, self.emptied):
            yield from calls

    @property
    def unsure(self) -> Iterator[Perhaps]:
        """The calls that need not have happened."""
        yield from self.maybe_stored
        yield from self.maybe_emptied

    def add(self, others: SlotCalls) -> None:
        """Add other calls on the same slot."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(others, name))

    def all(self) -> Iterator[Call]:
        """All calls."""
        yield from self.sure
        yield from (unsure.call for unsure in self.unsure)
        yield from self.unflushed

    def times(self) -> Iterator[float]:
        """The begins and ends of all calls that did something or showed something."""
        for call in self.sure:
            yield call.begin
            yield end_of(call)
        for unsure in self.unsure:
            yield unsure.begin
            yield unsure.end


class PoolIdCalls:
    """The new pools that answered one pool id, and the other calls on it that tell something."""

    __slots__ = ("ended", "flags", "made", "maybe_ended", "maybe_made")

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.maybe_made: list[Perhaps] = []
        self.ended: list[Call] = []
        """Destroys; the pool may have ended before."""
        self.maybe_ended: list[Perhaps] = []
        self.flags: list[Call] = []
        """Pool flags that answered."""

    def all(self) -> Iterator[Call]:
        """All calls."""
        for calls in (self.made, self.ended, self.flags):
            yield from calls
        for unsure in (*self.maybe_made, *self.maybe_ended):
            yield unsure.call


class _Slots(dict[Name, SlotCalls]):
    def __missing__(self, name: Name) -> SlotCalls:
        self[name] = made = SlotCalls()
        return made


class _PoolIds(dict[Name, PoolIdCalls]):
    def __missing__(self, name: Name) -> PoolIdCalls:
        self[name] = made = PoolIdCalls()
        return made


class Partition:
    """The calls of a history by what they concern."""

    def __init__(self) -> None:
        self.count = 0
        self.slots: dict[Name, dict[Name, SlotCalls]] = {}
        """By pool id and slot: puts, gets and flush pages."""
        self.objects: dict[Name, dict[Name, SlotCalls]] = {}
        """By pool id and object: flush objects."""
        self.pools = _PoolIds()
        """By pool id: new pools (under the id that they answered), destroys and pool flags."""
        self.reclaims: list[Call] = []
        self.unnamed: list[Perhaps] = []
        """New pools that may have made a pool, but answered no id."""

    @property
    def names(self) -> set[Name]:
        """Every pool id on which there are calls."""
        return {*self.slots, *self.objects, *self.pools}

    def groups(self) -> Iterator[SlotCalls]:
        """The calls of each slot, and the flushes of each object."""
        for by_name in (self.slots, self.objects):
            for named in by_name.values():
                yield from named.values()

    def calls_on(self, names: Iterable[Name], place: Name = ()) -> list[Call]:
        """The calls on these pool ids; with an object id and an index as `place`, on that slot only."""
        found = [unsure.call for unsure in self.unnamed]
        for name in names:
            if name in self.pools:
                found += self.pools[name].all()
            for target, flushes in self.objects.get(name, {}).items():
                if target[2:] == place[:1] or not place:
                    found += flushes.all()
            for target, calls in self.slots.get(name, {}).items():
                if target[2:] == place or not place:
                    found += calls.all()
        return found


def partition(calls: Iterable[Call], perhaps: Iterable[Call] = ()) -> Partition:
    """Interpret calls; those of `perhaps` need not have happened.

    >>> SLOT = (1, 0, 7, 3)
    >>> put, get = Call(0, 1, 2, "put", (*SLOT, "page"), True), Call(0, 3, 4, "get", SLOT, "page")
    >>> found = partition([put, get]).slots[1, 0][SLOT]
    >>> found.stored == [put], found.hits == [get]
    (True, True)
    """
    slots, objects, found = _Slots(), _Slots(), Partition()
    count = 0
    for call in calls:
        count += 1
        _, _, end, op, args, answer = call
        if end is None or type(answer) is Raised:
            _interpret_odd(call, slots, objects, found)
        elif op == "get":
            if answer is None:
                slots[args].misses.append(call)
            else:
                slots[args].hits.append(call)
        elif op == "put" and answer is True:
            slots[args[:4]].stored.append(call)
        elif op == "new_pool":
            if type(answer) is int:
                found.pools[args[0], answer].made.append(call)
        elif op == "pool_flags":
            if type(answer) is int:
                found.pools[args].flags.append(call)
        elif op == "reclaim":
            found.reclaims.append(call)
        elif type(answer) is not bool:
            _interpret_odd(call, slots, objects, found)
        elif op == "flush_object":
            objects[args].emptied.append(call)
        elif op == "destroy_pool":
            found.pools[args].ended.append(call)
        else:
            slots[args[:4]].emptied.append(call)
    for call in perhaps:
        count += 1
        _interpret_perhaps(call, slots, objects, found)
    found.count = count
    for whole, by_name in ((slots, found.slots), (objects, found.objects)):
        for name, each in whole.items():
            by_name.setdefault(name[:2], {})[name] = each
    return found


def end_of(call: Call) -> float:
    """When the call ended; infinity if it never did."""
    return inf if call.end is None else call.end


def page_of(put: Call) -> Page:
    """The page of a put."""
    return put.args[4]


def effect_of(call: Call) -> Does | None:
    """What a call did, by its answer; None where that is not known.

    >>> put = Call(0, 1, 2, "put", (1, 0, 7, 3, "page"), True)
    >>> effect_of(put), effect_of(put._replace(end=None))
    (<Does.STORED: 'put stored'>, None)
    """
    _, _, end, op, _, answer = call
    if end is None:
        return None
    if type(answer) is Raised:
        return _effect_of_error(op, answer)
    if op == "get":
        return Does.MISS if answer is None else Does.HIT
    if op in ("new_pool", "pool_flags", "reclaim"):
        return Does.NOTHING
    if type(answer) is not bool:
        return None
    if op == "put":
        return Does.STORED if answer else Does.REFUSED
    return Does.ENDED if op == "destroy_pool" else Does.FLUSHED


@lru_cache(4096)
def _effect_of_error(op: str, answer: Raised) -> Does | None:
    # None where the exception does not tell what the operation did.
    operation = _OPERATIONS[op]
    return event(operation, answer).does if declared(operation, answer) or refused(answer) else None


_OPERATIONS: Final[dict[str, Operation]] = {
    method: from_flat(method, tuple(b"" if name == "page" else 0 for name in signature.arguments))
    for method, signature in SIGNATURES.items()
}
"""An operation of each kind: what an exception says of the effect depends on the kind alone."""


def _interpret_odd(call: Call, slots: _Slots, objects: _Slots, found: Partition) -> None:
    # A call that raised, that never returned, or whose answer is not of the declared type.
    does = effect_of(call)
    _, begin, _, op, args, _ = call
    unsure = Perhaps(begin, inf, call)
    match op:
        case "put" if does is None:
            slots[args[:4]].maybe_stored.append(unsure)
        case "put" if does is Does.REFUSED:
            slots[args[:4]].emptied.append(call)
        case "get" if does is Does.MISS:
            slots[args].misses.append(call)
        case "get" if does is Does.DENIED:
            slots[args].denied.append(call)
        case "flush_page" | "flush_object":
            flushes = (slots if op == "flush_page" else objects)[args]
            if does is None:
                flushes.maybe_emptied.append(unsure)
            elif does is Does.FLUSHED:
                flushes.emptied.append(call)
            elif _fits(*args[2:]):
                flushes.unflushed.append(call)
        case "new_pool" if does is None:
            found.unnamed.append(unsure)
        case "destroy_pool" if does is None:
            found.pools[args].maybe_ended.append(unsure)
        case "reclaim":
            found.reclaims.append(call)


def _fits(oid: Page, index: Page = 0) -> bool:
    return isinstance(oid, int) and isinstance(index, int) and in_range(oid, index)


def _interpret_perhaps(call: Call, slots: _Slots, objects: _Slots, found: Partition) -> None:
    # A call that need not have happened. A put that failed has not stored its page in any case.
    does = effect_of(call)
    if does is None:
        _interpret_odd(call, slots, objects, found)
        return
    _, begin, _, op, args, answer = call
    unsure = Perhaps(begin, end_of(call), call)
    match op:
        case "put" | "flush_page" if does in (Does.REFUSED, Does.FLUSHED):
            slots[args[:4]].maybe_emptied.append(unsure)
        case "flush_object" if does is Does.FLUSHED:
            objects[args].maybe_emptied.append(unsure)
        case "new_pool" if type(answer) is int:
            found.pools[args[0], answer].maybe_made.append(unsure)
        case "destroy_pool" if does is Does.ENDED:
            found.pools[args].maybe_ended.append(unsure)
