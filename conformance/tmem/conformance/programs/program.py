"""Programs: short sequences of operations over a small universe of handles, drawn from bytes.

A step refers to a pool by a *name* (0 to 2 for each client), because pool ids are known only when the program
runs. So any steps of a program form a program too, and shrinking can drop steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple, cast

from tmem.conformance.programs.handles import UUID_BITS, Universe, plain, universe
from tmem.conformance.programs.pages import COUNT
from tmem.spec.abi.flags import NO_UUID, PERSIST, PRECOMPRESSED, RESERVED, SHARED, VERSION_SHIFT
from tmem.spec.handle import CLIENT_BITS, INDEX_BITS, OBJECT_BITS

VERSION_1 = 1 << VERSION_SHIFT
GRANTS: Final[tuple[tuple[int, int | None], ...]] = (
    (VERSION_1, None),
    (VERSION_1 | PERSIST, None),
    (VERSION_1 | SHARED, 0),
    (VERSION_1 | SHARED | PERSIST, 0),
    (VERSION_1 | SHARED, 1),
    (VERSION_1 | SHARED | PERSIST, 1),
    (0, 0),  # version 0 counts as 1; a UUID without the shared bit is ignored
    (VERSION_1 | SHARED | PERSIST, -1),  # private
    (VERSION_1 | SHARED, None),  # private
    (PERSIST, None),
    (VERSION_1 | SHARED | PERSIST, 2),
    (VERSION_1 | SHARED | PERSIST, 3),
)
"""Flags that a backend may accept, each with the number of a UUID in the universe; -1: all ones."""
REFUSALS = (
    VERSION_1 | PRECOMPRESSED,
    VERSION_1 | 1 << 8,
    VERSION_1 | PERSIST | 1 << 23,
    RESERVED,
    2 << VERSION_SHIFT,
    0xFF << VERSION_SHIFT | PERSIST,
    VERSION_1 | 9 << 4,
    VERSION_1 | PERSIST | 15 << 4,
)
"""Flags that every backend must refuse, whatever its page size up to 1 MiB."""
BAD_OIDS = (1 << 192, -1, 1 << 200)
BAD_INDEXES = (1 << 32, -1, 1 << 40)
BAD_LENGTHS = (-1, 1, None)
"""Bytes by which a page is too long; None stands for an empty page."""


class Code(IntEnum):
    """What a step does."""

    PUT = 0
    GET = 1
    FLUSH_PAGE = 2
    FLUSH_OBJECT = 3
    NEW_POOL = 4
    DESTROY_POOL = 5
    RECLAIM = 6
    BAD_ARGUMENT = 7
    BAD_FLAGS = 8


class Step(NamedTuple):
    """One step. The rows choose client, object id and index from the universe; `name` names a pool.

    `argument` depends on the code: the page number of a put, the entry of GRANTS of a new pool, the count of
    a reclaim, or the choice of a bad argument or of bad flags.
    """

    code: int
    client_row: int
    name: int
    oid_row: int
    index_row: int
    argument: int


@dataclass(frozen=True, slots=True)
class Program:
    """Steps over a universe; `buffer` says as which type callers pass pages (see `perform.BUFFERS`)."""

    universe: Universe
    buffer: int
    steps: tuple[Step, ...]

    def grant(self, argument: int) -> tuple[int, int | None]:
        """Return the flags and the UUID of an entry of GRANTS."""
        flags, row = GRANTS[argument]
        if row is None:
            return flags, None
        return flags, NO_UUID if row < 0 else self.universe.uuids[row]

    def filling(self) -> Program:
        """Its pools, and a put to each slot that it gets: what may be left behind for it."""
        pools = [step for step in self.steps if step.code == Code.NEW_POOL]
        puts = [step._replace(code=Code.PUT, argument=0) for step in self.steps if step.code == Code.GET]
        return replace(self, steps=(*pools, *puts))

    def to_json(self) -> dict[str, object]:
        """Return the program as JSON data."""
        numbers = {field: list(values) for field, values in self.universe._asdict().items()}
        return {
            **numbers,
            "buffer": self.buffer,
            "steps": [[int(each) for each in step] for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Heuristics:
    """Choices that make random programs find faults sooner; calibration measures what each gains."""

    awkward: bool = True
    """Use clients and handles that stores confuse, instead of 0, 1 and 2."""
    few: bool = True
    """Use few slots again and again in most programs; otherwise nine slots in every program."""
    repeats: bool = True
    """Put the same two pages again and again in some programs."""


USED = Heuristics()
"""The heuristics that runs use: all of them."""

HEADER: Final = 9
"""Bytes before the first step: the key of the universe (4), setup, first page (2), mode, callers."""
REPEATS: Final = 0xFF
"""The last byte of the header of a program that puts the same two pages again and again."""
CALLERS: Final = (1, 1, 2, 2, 2, 2, 3, 4)
"""How many clients a program has."""
SETUPS: Final = ((0, 1), (1, 0), (0, 0), (1, 1), (2, 3), (3, 2), (3, 5), (0, 3))
"""The pools that each client starts with, as entries of GRANTS."""
SHAPES: Final = (
    *((3, 3), (2, 2), (1, 3), (3, 1), (1, 2), (2, 1), (1, 1), (2, 3)),
    *((3, 3), (2, 2), (1, 3), (3, 1), (1, 2), (16, 1), (16, 1), (1, 16)),
)
"""How many objects and indexes a program uses. Most programs use few slots again and again. Some begin with
a put to each of 16 slots, since any two slots may collide in a table."""
PLACES: Final = 16
"""How many numbers stand for slots of a shape."""
_NAMES = (0, 0, 1, 2)

_WEIGHTS = {
    Code.PUT: 84,
    Code.GET: 84,
    Code.FLUSH_PAGE: 20,
    Code.FLUSH_OBJECT: 14,
    Code.NEW_POOL: 14,
    Code.DESTROY_POOL: 12,
    Code.RECLAIM: 12,
    Code.BAD_ARGUMENT: 8,
    Code.BAD_FLAGS: 8,
}
CODES = tuple(code for code, weight in _WEIGHTS.items() for _ in range(weight))
"""The code that each byte stands for; the weights add up to 256."""


def place(shape: tuple[int, int], number: int) -> tuple[int, int]:
    """Return the rows of object id and index that a number below PLACES stands for.

    >>> place((3, 3), 6), place((16, 1), 14)
    ((2, 1), (14, 0))
    """
    objects, indexes = shape
    oid_row = number if objects > 4 else number & 3
    index_row = number if indexes > 4 else number >> 2
    return oid_row % objects, index_row % indexes


def decode(data: bytes, pages: int, using: Heuristics = USED) -> Program:
    """Return the program that bytes stand for; any HEADER + 2 bytes or more are a program.

    `pages` is the size of the corpus. A program puts no page twice, so that a returned page shows which put
    it came from. But if the last byte of the header is REPEATS it puts two pages again and again, to test a
    store that keeps equal pages once.
    """
    key, setup, first_page = int.from_bytes(data[:4], "big"), data[4], int.from_bytes(data[5:7], "big")
    if not first_page & 7:
        first_page = pages - 1  # then the first put takes page 0, the page of zeroes
    mode, callers = data[7], data[8]
    shape = SHAPES[mode >> 4] if using.few else SHAPES[0]
    wide = max(shape) == PLACES
    if wide:
        setup &= 3  # private pools
    clients = 1 if wide else CALLERS[callers & 7]
    steps = [
        Step(Code.NEW_POOL, client, name, 0, 0, grant)
        for client in range(clients)
        for name, grant in enumerate(SETUPS[setup & 7])
    ]
    period = 2 if callers == REPEATS and using.repeats else pages
    puts = PLACES if wide else 0
    for number in range(puts):
        page = (first_page + 1 + number % period) % pages
        steps.append(Step(Code.PUT, 0, 0, *place(shape, number), page))
    names = (0, 0, 0, 1) if wide else (0, 1, 0, 1)
    for a, b in zip(data[HEADER + puts :: 2], data[HEADER + puts + 1 :: 2], strict=False):
        code = CODES[a]
        argument = a ^ b
        if code == Code.PUT:
            puts += 1
            argument = (first_page + puts % period) % pages
        elif code == Code.NEW_POOL:
            argument %= len(GRANTS)
        name = (_NAMES if code == Code.NEW_POOL else names)[b >> 4 & 3]
        steps.append(Step(code, (b >> 6) % clients, name, *place(shape, b & 15), argument))
    numbers = (universe if using.awkward else _plain)(key, *shape, clients)
    return Program(numbers, (mode >> 2 & 3) % 3, tuple(steps[: pages - 1]))


def _plain(key: int, objects: int, indexes: int, clients: int) -> Universe:
    return plain(objects, indexes, clients)


def from_json(data: object) -> Program:
    """Return the program that `Program.to_json` wrote. Raises ValueError with the reason if it is not one.

    >>> program = decode(bytes(range(20)), 256)
    >>> from_json(program.to_json()) == program
    True
    """
    if not isinstance(data, dict):
        raise ValueError("the program is not an object")
    numbers = Universe(*(_numbers(data, field, bits, least) for field, (bits, least) in _LIMITS.items()))
    buffer, steps = data.get("buffer"), data.get("steps")
    if type(buffer) is not int or not 0 <= buffer < 3:
        raise ValueError("buffer of the program is out of range")
    if not isinstance(steps, list):
        raise ValueError("the program has no steps")
    return Program(numbers, buffer, tuple(_step(step, numbers) for step in steps))


_LIMITS: Final = {
    "oids": (OBJECT_BITS, 1),
    "indexes": (INDEX_BITS, 1),
    "clients": (CLIENT_BITS, 1),
    "uuids": (UUID_BITS, 4),
}
"""The fields of a universe, each with the width of its numbers in bits and the least count."""


def _numbers(data: dict[str, object], field: str, bits: int, least: int) -> tuple[int, ...]:
    numbers = data.get(field)
    if not isinstance(numbers, list) or len(numbers) < least:
        raise ValueError(f"{field} of the program is not a list of {least} or more numbers")
    if not all(type(each) is int and 0 <= each < 1 << bits for each in numbers):
        raise ValueError(f"{field} of the program is out of range")
    return tuple(cast(list[int], numbers))


def _step(data: object, numbers: Universe) -> Step:
    limits = (len(Code), len(numbers.clients), 3, len(numbers.oids), len(numbers.indexes), COUNT)
    if not isinstance(data, list) or len(data) != len(limits):
        raise ValueError(f"{data!r} is not a step: code, client, pool, oid, index, argument")
    for value, limit in zip(data, limits, strict=True):
        if type(value) is not int or not 0 <= value < limit:
            raise ValueError(f"{data!r} is not a step: {value!r} is out of range")
    step = Step(*data)
    if step.code == Code.NEW_POOL and step.argument >= len(GRANTS):
        raise ValueError(f"{data!r} is not a step: there is no grant {step.argument}")
    return step
