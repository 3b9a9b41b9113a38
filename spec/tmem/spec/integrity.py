"""Integrity: no get shows a torn, foreign or stale page, whatever the order of overlapping calls.

This is the weaker half of TMEM-CONC-1. It asks neither in which order overlapping calls took effect, nor that
a persistent page is found. A history that is linearizable is intact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tmem.spec.abi.flags import kind_of
from tmem.spec.answers import declared, event
from tmem.spec.history import Call
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put
from tmem.spec.slot import Does, Kind

Grants: TypeAlias = set[tuple[object, Kind]]
"""What a pool id may stand for: the UUID of a shared pool or the name of a private one, and its kind."""


def intact(calls: Sequence[Call]) -> bool:
    """Whether every page that was hit had been put there, and had not ended.

    Some put of the page into the slot must have stored it, or may have, and begun before the get ended. No
    call that ended the page may have begun after that put returned, and returned before the get began.

    >>> from tmem.spec import Handle
    >>> slot, new = Handle(0, 7, 3), Call(NewPool(1), 0, 0, 1)
    >>> put, flush = Call(Put(1, slot, b"a"), True, 2, 3), Call(FlushPage(1, slot), True, 4, 5)
    >>> early, late = (Call(Get(1, slot), b"a", begin, 8) for begin in (5, 6))
    >>> intact([new, put, flush, early]), intact([new, put, flush, late])
    (True, False)
    """
    return all(_put_there(get, calls) for get in calls if _does(get) is Does.HIT)


def _does(call: Call) -> Does | None:
    known = call.end is not None and declared(call.operation, call.answer)
    return event(call.operation, call.answer).does if known else None


def _put_there(get: Call, calls: Sequence[Call]) -> bool:
    return any(
        isinstance(put.operation, Put)
        and put.operation.page == get.answer
        and _does(put) in (Does.STORED, None)
        and not get.before(put)
        and _covers(put, get, calls)
        and not any(put.before(call) and call.before(get) and _ended(call, put, get, calls) for call in calls)
        for put in calls
    )


def _ended(call: Call, put: Call, get: Call, calls: Sequence[Call]) -> bool:
    """Whether the call certainly ended the page: all three ids stood for one pool and no other."""
    pools = {pool for pool, _ in _grants(call, calls) | _grants(put, calls) | _grants(get, calls)}
    kinds = {kind for _, kind in _grants(get, calls)}
    if len(pools) != 1 or not _covers(call, get, calls):
        return False
    match _does(call):
        case Does.STORED | Does.REFUSED | Does.FLUSHED:
            return True
        case Does.ENDED:
            return not any(kind.shared for kind in kinds)
        case Does.MISS:
            return not any(kind.persistent for kind in kinds)
        case Does.HIT:
            return call.answer == get.answer and all(kind.exclusive for kind in kinds)
    return False


def _covers(call: Call, get: Call, calls: Sequence[Call]) -> bool:
    # Whether the call may concern the slot of the get.
    if not {pool for pool, _ in _grants(call, calls)} & {pool for pool, _ in _grants(get, calls)}:
        return False
    match call.operation, get.operation:
        case DestroyPool(), _:
            return True
        case FlushObject(oid=oid), Get(handle=slot):
            return oid == slot.oid
        case Put(handle=handle) | Get(handle=handle) | FlushPage(handle=handle), Get(handle=slot):
            return (handle.oid, handle.index) == (slot.oid, slot.index)
    return False


def _grants(call: Call, calls: Sequence[Call]) -> Grants:
    match call.operation:
        case Put(client, handle) | Get(client, handle) | FlushPage(client, handle):
            name = client, handle.pool
        case FlushObject(client, pool) | DestroyPool(client, pool):
            name = client, pool
        case _:
            return set()
    news = [(new.operation, new.answer) for new in calls if isinstance(new.operation, NewPool)]
    granted = [new for new, answer in news if type(answer) is int and (new.client, answer) == name]
    answered = [c.answer for c in calls if c.operation == PoolFlags(*name) and isinstance(c.answer, int)]
    kinds = {(new.uuid, kind_of(flags, new.uuid)) for new in granted for flags in (new.flags, *answered)}
    return {(uuid if kind.shared else name, kind) for uuid, kind in kinds}
