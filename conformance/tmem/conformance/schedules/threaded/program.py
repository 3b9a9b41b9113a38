"""Concurrent programs: a setup, and then one to four threads that run at once.

A program names pools by number, because the backend chooses their ids: number n is the n-th new pool of the
setup, and after those the n-th that differs. A later equal new pool makes that number anew. Pages are numbers
in the corpus, in two bytes. So any part of a program that makes its pools is a program.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tmem.spec.abi.flags import PERSIST, SHARED, VERSION, VERSION_SHIFT
from tmem.spec.handle import Handle
from tmem.spec.operations import (
    SIGNATURES,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    Put,
    Reclaim,
    flat,
    from_flat,
)

EPHEMERAL: Final = VERSION << VERSION_SHIFT
PERSISTENT: Final = EPHEMERAL | PERSIST
UUID: Final = 0xA
SETUPS: Final = (
    (NewPool(1, EPHEMERAL),),
    (NewPool(1, PERSISTENT),),
    (NewPool(1, EPHEMERAL), NewPool(1, PERSISTENT)),
    tuple(NewPool(client, EPHEMERAL) for client in (1, 2, 3)),
)
"""The pools that a program starts with: of one client, or of three."""
SHARED_SETUPS: Final = tuple(
    tuple(NewPool(client, kind | SHARED, UUID) for client in range(1, sharers + 1))
    for kind in (EPHEMERAL, PERSISTENT)
    for sharers in (2, 3)
)
"""The same with a pool that two or three clients share."""
OIDS: Final = (7, 7 | 1 << 128)
INDEXES: Final = (0, 1, 64)
SHAPES: Final = ((1, 1), (1, 1), (1, 2), (1, 2), (2, 1), (1, 3), (2, 2))
"""Objects and indexes of a program: few, so that threads meet."""
THEMES: Final = (
    {"put": 4, "get": 4},
    {"put": 4, "get": 2, "flush_page": 3},
    {"put": 4, "get": 2, "flush_object": 3},
    {"put": 4, "get": 2, "destroy": 3, "new": 3},
    {"put": 6, "get": 6, "flush_page": 2, "flush_object": 2, "destroy": 2, "new": 2},
)
"""Weights of the operations. A program has one theme, so that its operations meet."""
MOST_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Program:
    """`setup` runs alone; then each of `threads` runs its operations, all threads at once."""

    setup: tuple[Operation, ...]
    threads: tuple[tuple[Operation, ...], ...]

    @property
    def pools(self) -> tuple[NewPool, ...]:
        """The new pools; the index is the number of the pool."""
        first = tuple(each for each in self.setup if isinstance(each, NewPool))
        new = (each for thread in self.threads for each in thread if isinstance(each, NewPool))
        return (*first, *(each for each in dict.fromkeys(new) if each not in first))

    @property
    def operations(self) -> Iterator[Operation]:
        """All operations, the setup first."""
        yield from self.setup
        for thread in self.threads:
            yield from thread

    @property
    def slots(self) -> tuple[tuple[int, Handle], ...]:
        """⟨client, handle⟩ of every put, each once: where a page may be at the end."""
        puts = (each for each in self.operations if isinstance(each, Put))
        return tuple(dict.fromkeys((put.client, put.handle) for put in puts))

    @property
    def last(self) -> tuple[Operation, ...]:
        """The steps after the threads: read every slot; make the destroyed pools again, and read their slots,
        which must be empty."""
        reads = tuple(Get(client, handle) for client, handle in self.slots)
        ended = {each.pool for each in self.operations if isinstance(each, DestroyPool)}
        again = tuple(pool for n, pool in enumerate(self.pools) if n in ended)
        return reads + again + tuple(read for read in reads if read.handle.pool in ended)

    def __len__(self) -> int:
        return sum(map(len, self.threads))

    def to_json(self) -> dict[str, object]:
        """The program as JSON data."""
        return {
            "setup": [_to_json(each) for each in self.setup],
            "threads": [[_to_json(each) for each in thread] for thread in self.threads],
        }


def draw(
    random: random.Random, threads: int, operations: int, reclaims: bool, shared: bool = False
) -> Program:
    """Draw a program with these numbers of threads and of operations for each, on a few slots.

    With `reclaims` the last thread is the reclaimer half of the time. With `shared` pools may be shared.
    """
    setup: list[Operation] = list(random.choice(SETUPS + SHARED_SETUPS if shared else SETUPS))
    pools = [each for each in setup if isinstance(each, NewPool)]
    slots = _slots(random, pools)
    page = iter(range(1, 250))
    for client, handle in slots:
        if random.random() < 0.6:
            setup.append(Put(client, handle, number(next(page))))
    if reclaims and random.random() < 0.1:
        setup.append(Reclaim(1))
    weights = _weights(random, reclaims)
    program: list[tuple[Operation, ...]] = []
    for thread in range(threads):
        if reclaims and thread == threads - 1 and random.random() < 0.5:
            program.append(
                tuple(Reclaim(random.choice((1, 1, 2))) for _ in range(random.randint(1, operations)))
            )
            continue
        program.append(tuple(_operation(random, weights, pools, slots, page) for _ in range(operations)))
    return Program(tuple(setup), tuple(program))


def _slots(random: random.Random, pools: list[NewPool]) -> list[tuple[int, Handle]]:
    objects, indexes = random.choice(SHAPES)
    used = [random.randrange(len(pools))] if random.random() < 0.7 else range(len(pools))
    return [
        (pools[pool].client, Handle(pool, oid, index))
        for pool in used
        for oid in OIDS[:objects]
        for index in INDEXES[:indexes]
    ]


def _weights(random: random.Random, reclaims: bool) -> tuple[tuple[str, ...], tuple[int, ...]]:
    weights = dict(random.choice(THEMES))
    if reclaims:
        weights["reclaim"] = 2
    return tuple(weights), tuple(weights.values())


def _operation(
    random: random.Random,
    weights: tuple[tuple[str, ...], tuple[int, ...]],
    pools: list[NewPool],
    slots: list[tuple[int, Handle]],
    page: Iterator[int],
) -> Operation:
    client, handle = random.choice(slots)
    match random.choices(*weights)[0]:
        case "put":
            return Put(client, handle, number(next(page)))
        case "get":
            return Get(client, handle)
        case "flush_page":
            return FlushPage(client, handle)
        case "flush_object":
            return FlushObject(client, handle.pool, handle.oid)
        case "destroy":
            return DestroyPool(client, handle.pool)
        case "new":
            return pools[handle.pool]
        case _:
            return Reclaim(1)


def pool_of(operation: Operation) -> int | None:
    """The number of the pool that an operation names; None where it names none."""
    match operation:
        case Put(handle=handle) | Get(handle=handle) | FlushPage(handle=handle):
            return handle.pool
        case NewPool() | Reclaim():
            return None
        case _:
            return operation.pool


def with_pool(operation: Operation, pool: int) -> Operation:
    """The same operation on another pool; an operation that names no pool as it is."""
    match operation:
        case Put(handle=handle) | Get(handle=handle) | FlushPage(handle=handle):
            return replace(operation, handle=replace(handle, pool=pool))
        case NewPool() | Reclaim():
            return operation
        case _:
            return replace(operation, pool=pool)


def without_pool(program: Program, pool: NewPool) -> Program | None:
    """The program without a pool; None if one of its operations uses it."""
    gone = program.pools.index(pool)
    if any(pool_of(each) == gone for each in program.operations) or list(program.operations).count(pool) > 1:
        return None

    def moved(operation: Operation) -> Operation:
        pool = pool_of(operation)
        return with_pool(operation, pool - 1) if pool is not None and pool > gone else operation

    setup = tuple(moved(each) for each in program.setup if each != pool)
    return Program(setup, tuple(tuple(map(moved, thread)) for thread in program.threads))


def is_whole(program: Program) -> bool:
    """Whether every pool that an operation names is made."""
    count = len(program.pools)
    return all((pool_of(each) or 0) < count for each in program.operations)


def number(page: int) -> bytes:
    """A page number in two bytes, as programs hold it in the place of the page."""
    return page.to_bytes(2, "big")


def _to_json(operation: Operation) -> list[object]:
    method, arguments = flat(operation)
    return [method, *(int.from_bytes(each, "big") if isinstance(each, bytes) else each for each in arguments)]


def from_json(data: object) -> Program:
    """Return the program that `Program.to_json` wrote. Raises ValueError with the reason for other data.

    >>> program = draw(random.Random(1), 2, 3, reclaims=True)
    >>> from_json(program.to_json()) == program
    True
    """
    if not isinstance(data, dict):
        raise ValueError("the program is not an object")
    setup, threads = data.get("setup"), data.get("threads")
    if not isinstance(setup, list) or not isinstance(threads, list):
        raise ValueError("the program lacks setup or threads")
    if len(threads) > MOST_THREADS or not all(isinstance(thread, list) for thread in threads):
        raise ValueError(f"the program's threads are not at most {MOST_THREADS} lists")
    program = Program(
        tuple(_from_json(each) for each in setup),
        tuple(tuple(_from_json(each) for each in thread) for thread in threads),
    )
    _check(program)
    return program


def _check(program: Program) -> None:
    count = len(program.pools)
    for operation in program.operations:
        pool = pool_of(operation)
        if pool is not None and not 0 <= pool < count:
            raise ValueError(f"the program has no pool {pool}")


def _from_json(data: object) -> Operation:
    if not isinstance(data, list) or not data or data[0] not in _METHODS:
        raise ValueError(f"{data!r} is not an operation: {', '.join(_METHODS)}, with arguments")
    method, *arguments = data
    names = SIGNATURES[method].arguments
    missing_uuid = method == "new_pool" and arguments[2:] == [None]
    numbers = arguments[:2] if missing_uuid else arguments
    if len(arguments) != len(names) or not all(type(each) is int and each >= 0 for each in numbers):
        raise ValueError(f"{data!r} is not an operation: {method} takes {len(names)} numbers")
    if method != "put":
        return from_flat(method, tuple(arguments))
    if arguments[-1] >= 1 << 16:
        raise ValueError(f"{data!r} is not an operation: its page number has more than 16 bits")
    return from_flat(method, (*arguments[:-1], number(arguments[-1])))


_METHODS: Final = tuple(method for method in SIGNATURES if method != "pool_flags")
"""The operations of a program. The executor asks for flags by itself."""
