"""The freedoms: what a backend may do, and a caller must expect, by number.

Each has histories that show it, all of which the contract permits: `tmem.spec.history.linearizable` accepts
them, and a test says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from tmem.spec.abi import errors
from tmem.spec.abi.flags import PERSIST, SHARED
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
    Raised,
    Reclaim,
)

Step: TypeAlias = tuple[Operation, Answer]
History: TypeAlias = tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Freedom:
    """A numbered permission: its sentence, its sources, and histories in which a backend takes it."""

    id: str
    sentence: str
    sources: tuple[str, ...]
    shown: tuple[History, ...]


FREEDOMS: Final[dict[str, Freedom]] = {}
"""Every freedom by its id, in the order of the specification."""

_SLOT: Final = Handle(0, 7, 3)
_NEXT: Final = Handle(0, 7, 4)
_A: Final = b"a" * 16
_B: Final = b"b" * 16
_VERSION: Final = 1 << 24
_CACHE: Final[Step] = (NewPool(1, _VERSION), 0)
_SWAP: Final[Step] = (NewPool(1, PERSIST | _VERSION), 0)
_COMMON: Final[Step] = (NewPool(1, SHARED | _VERSION, 5), 0)
_PUT: Final[Step] = (Put(1, _SLOT, _A), True)
_GET: Final = Get(1, _SLOT)


def _error(errno: int) -> Raised:
    return Raised("OSError", errno)


def _sequence(*steps: Step) -> History:
    return tuple(Call(*step, 2 * n, 2 * n + 1) for n, step in enumerate(steps))


def _freedom(number: int, sentence: str, sources: str, *shown: History) -> None:
    id_ = f"TMEM-MAY-{number}"
    FREEDOMS[id_] = Freedom(id_, sentence, tuple(sources.split()), shown)


_freedom(
    1,
    "A page of an ephemeral pool may vanish at any time: from then on a get misses, as if the page had "
    "been flushed.",
    "T C P",
    _sequence(_CACHE, _PUT, (_GET, None)),
)
_freedom(
    2,
    "Any put may fail, whatever room there is: it answers False, or raises ENOMEM, ENOSPC or EFROZEN. The "
    "slot then holds nothing, an old page included (TMEM-PUT-1).",
    "T F X",
    _sequence(_SWAP, _PUT, (Put(1, _SLOT, _B), False), (_GET, None)),
    *(
        _sequence(_SWAP, (Put(1, _SLOT, _A), _error(errno)), (_GET, None))
        for errno in (errors.ENOMEM, errors.ENOSPC, errors.EFROZEN)
    ),
)
_freedom(
    3,
    "A hit in a shared ephemeral pool may keep the page or remove it.",
    "T C",
    _sequence(_COMMON, _PUT, (_GET, _A), (_GET, _A)),
    _sequence(_COMMON, _PUT, (_GET, _A), (_GET, None)),
)
_freedom(
    4,
    "A miss may be answered None, or raise EEMPTY.",
    "X",
    _sequence(_SWAP, (_GET, None), (_GET, _error(errors.EEMPTY))),
)
_freedom(
    5,
    "A get may be denied where no persistent page is: it raises an errno of the ABI and changes nothing.",
    "X ours",
    _sequence(_CACHE, _PUT, (_GET, _error(errors.ENOMEM)), (_GET, _A)),
    _sequence(_SWAP, (_GET, _error(errors.EPERM))),
)
_freedom(
    6,
    "Flush page and flush object may answer True or False, whether or not they found a page. A frozen "
    "client's flush may raise EFROZEN, and has flushed.",
    "T X",
    _sequence(_SWAP, _PUT, (FlushPage(1, _SLOT), False), (_GET, None), (FlushPage(1, _SLOT), True)),
    _sequence(_SWAP, _PUT, (FlushObject(1, 0, 7), _error(errors.EFROZEN)), (_GET, None)),
)
_freedom(
    7,
    "An operation on an id that stands for no pool may raise ENODEV, or answer softly: put, flush and "
    "destroy pool False, get None or EEMPTY.",
    "T X",
    _sequence((_GET, _error(errors.ENODEV)), (_GET, None), (Put(1, _SLOT, _A), False)),
    _sequence((FlushPage(1, _SLOT), False), (DestroyPool(1, 0), False), (_GET, _error(errors.EEMPTY))),
)
_freedom(
    8,
    "A request for a pool may be refused with ENOMEM or EPERM, for want of room or because its kind is "
    "not offered.",
    "X",
    _sequence((NewPool(1, PERSIST | _VERSION), _error(errors.ENOMEM)), _CACHE),
    _sequence((NewPool(1, SHARED | _VERSION, 5), _error(errors.EPERM)), _CACHE),
)
_freedom(
    9,
    "A request for a shared pool may get a private one, if pool flags tell so before anything else is "
    "done with the id.",
    "X",
    _sequence(_COMMON, (PoolFlags(1, 0), _VERSION), _PUT, (_GET, _A), (_GET, None)),
)
_freedom(
    10,
    "The id of a pool that has ended may come back at the next request, later, or never.",
    "X",
    _sequence(_SWAP, (DestroyPool(1, 0), True), _SWAP),
    _sequence(_SWAP, (DestroyPool(1, 0), True), (NewPool(1, PERSIST | _VERSION), 1)),
)
_freedom(
    11,
    "A client that joins a shared pool again may do so, with a further id, and leaves it by each of its ids.",
    "ours",
    _sequence(
        (NewPool(1, SHARED | PERSIST | _VERSION, 5), 0),
        (NewPool(1, SHARED | PERSIST | _VERSION, 5), 1),
        _PUT,
        (DestroyPool(1, 0), True),
        (Get(1, Handle(1, 7, 3)), _A),
    ),
)
_freedom(
    12,
    "Reclaim may remove fewer pages than it was asked for, none included, and chooses which.",
    "P",
    _sequence(_CACHE, _PUT, (Put(1, _NEXT, _B), True), (Reclaim(2), 1), (Get(1, _NEXT), _B)),
    _sequence(_CACHE, _PUT, (Reclaim(1), 0), (_GET, _A)),
)
_freedom(
    13,
    "A wrong argument may be refused with EINVAL, or with Python's ValueError, OverflowError or TypeError.",
    "ours",
    _sequence(_SWAP, (Get(1, Handle(0, 1 << 192, 3)), Raised("OverflowError"))),
    _sequence(_SWAP, (Get(1, Handle(0, 7, -1)), _error(errors.EINVAL))),
)
_freedom(
    14,
    "Flush object may take the slots of its object one by one, each at an instant of its own within the "
    "call. So a put beside it may stay or go.",
    "T",
    (
        Call(*_SWAP, 0, 1),
        Call(*_PUT, 2, 3),
        Call(FlushObject(1, 0, 7), True, 4, 11),
        Call(_GET, None, 5, 6),
        Call(Put(1, _NEXT, _B), True, 7, 8),
        Call(Get(1, _NEXT), None, 9, 10),
    ),
    (
        Call(*_SWAP, 0, 1),
        Call(*_PUT, 2, 3),
        Call(FlushObject(1, 0, 7), True, 4, 9),
        Call(_GET, None, 5, 6),
        Call(Put(1, _NEXT, _B), True, 7, 8),
        Call(Get(1, _NEXT), _B, 10, 11),
    ),
)
_freedom(
    15,
    "A call that never returns may take effect at any instant after it began, or never. A get may show "
    "the page of such a put, or not.",
    "ours",
    (Call(*_SWAP, 0, 1), Call(Put(1, _SLOT, _A), None, 2, None), Call(_GET, _A, 3, 4)),
    (Call(*_SWAP, 0, 1), Call(Put(1, _SLOT, _A), None, 2, None), Call(_GET, None, 3, 4)),
)
_freedom(
    16,
    "In an ephemeral shared pool any page may vanish when a sharer leaves.",
    "X",
    _sequence(
        _COMMON,
        (NewPool(2, SHARED | _VERSION, 5), 0),
        _PUT,
        (DestroyPool(2, 0), True),
        (_GET, None),
    ),
)
