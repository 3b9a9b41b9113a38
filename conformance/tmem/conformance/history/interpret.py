"""Interprets each call of a history, once: what its answer says that it did, and to which slots.

The result lists the calls of each slot by what they did there. Nothing behind this module looks at
operations and answers again, apart from what shows calls to people.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import inf
from typing import Final

from tmem.conformance.history.calls import Call, Page, Perhaps, end_of
from tmem.conformance.history.partition import BySlot, Partition
from tmem.spec.answers import declared, event, refused
from tmem.spec.handle import in_range
from tmem.spec.operations import SIGNATURES, Operation, Raised, from_flat
from tmem.spec.slot import Does


def interpret(calls: Iterable[Call], perhaps: Iterable[Call] = ()) -> Partition:
    """Interpret calls; those of `perhaps` need not have happened.

    >>> SLOT = (1, 0, 7, 3)
    >>> put, get = Call(0, 1, 2, "put", (*SLOT, "page"), True), Call(0, 3, 4, "get", SLOT, "page")
    >>> found = interpret([put, get]).slots[1, 0][SLOT]
    >>> found.stored == [put], found.hits == [get]
    (True, True)
    """
    slots, objects, found = BySlot(), BySlot(), Partition()
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
    # None if the exception does not show what the operation did.
    operation = _OPERATIONS[op]
    return event(operation, answer).does if declared(operation, answer) or refused(answer) else None


_OPERATIONS: Final[dict[str, Operation]] = {
    method: from_flat(method, tuple(b"" if name == "page" else 0 for name in signature.arguments))
    for method, signature in SIGNATURES.items()
}
"""An operation of each kind: what an exception says of the effect depends on the kind alone."""


def _interpret_odd(call: Call, slots: BySlot, objects: BySlot, found: Partition) -> None:
    # A call that raised, that never returned, or whose answer is not of the declared type.
    does = effect_of(call)
    _, begin, _, op, args, _ = call
    unsure = Perhaps(begin, inf, call)
    match op:
        case "put" if does is None:
            slots[args[:4]].maybe_stored.append(unsure)
        case "put" if does is Does.REFUSED:
            slots[args[:4]].emptied.append(call)
        case "put" if _fits(*args[2:4]):
            slots[args[:4]].unflushed.append(call)
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


def _interpret_perhaps(call: Call, slots: BySlot, objects: BySlot, found: Partition) -> None:
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
