"""Programs: short sequences of operations over a small universe, drawn from bytes.

A step names pools by *name* (0 to 2, per client), since ids are granted only when it runs; so any
steps of a program, left alone, are a program again, and shrinking is dropping steps. The universe
has the handles that go wrong: a store that truncates, folds or reserves ids confuses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from tmem.spec.abi.flags import NO_UUID, PERSIST, PRECOMPRESSED, RESERVED, SHARED, VERSION_SHIFT

ALL = (1 << 192) - 1
OIDS = (
    (0, 1, 2),
    (0, 1 << 64, 1 << 128),  # differ in high words only
    (5, 5 << 64, 5 << 128),  # words XOR alike
    (0, ALL, 1 << 191),
    (7, 7 | 1 << 32, 7 | 1 << 63),
    (3 << 64 | 2, 2 << 64 | 3, 1 << 128 | 1),  # words XOR and add alike
    (ALL, ALL - 1, ALL >> 1),
    (1 << 64, 1 << 65, 1 << 100),
)
INDEXES = (
    (0, 1, 2),
    (0, 63, 64),
    (0, 1 << 16, 1 << 31),
    (5, 5 + (1 << 8), 5 + (1 << 24)),
    (0, (1 << 32) - 1, 1 << 31),
    (63, 64, 4096),
    (1, 1 + (1 << 16), 1 + (1 << 31)),
    (0, 64, 4096),
)
CLIENTS = ((1, 2), (0, 0xFFFF), (1, 257), (7, 8))
UUIDS = (0xA, 0xA << 64, 0xA | 0xB << 64, 0xB | 0xA << 64)
"""Alike in one word, or where the words are folded."""

VERSION_1 = 1 << VERSION_SHIFT
GRANTS: tuple[tuple[int, int | None], ...] = (
    (VERSION_1, None),
    (VERSION_1 | PERSIST, None),
    (VERSION_1 | SHARED, UUIDS[0]),
    (VERSION_1 | SHARED | PERSIST, UUIDS[0]),
    (VERSION_1 | SHARED, UUIDS[1]),
    (VERSION_1 | SHARED | PERSIST, UUIDS[1]),
    (0, UUIDS[0]),  # version 0 counts as 1; a UUID without the shared bit is ignored
    (VERSION_1 | SHARED | PERSIST, NO_UUID),  # private
    (VERSION_1 | SHARED, None),  # private
    (PERSIST, None),
    (VERSION_1 | SHARED | PERSIST, UUIDS[2]),
    (VERSION_1 | SHARED | PERSIST, UUIDS[3]),
)
"""Flags and UUIDs that a backend may take."""
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
"""Flags that no backend may take, whatever its page size up to 1 MiB."""
BAD_OIDS = (1 << 192, -1, 1 << 200)
BAD_INDEXES = (1 << 32, -1, 1 << 40)
BAD_LENGTHS = (-1, 1, None)
"""Bytes by which a page is longer than it should be; None: empty."""


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
    """One step; the rows choose from the universe, `name` names a pool, `argument` is the code's own.

    The argument of put is a page number, of new pool an entry of GRANTS, of reclaim a count, of a bad
    argument or bad flags which one.
    """

    code: int
    client_row: int
    name: int
    oid_row: int
    index_row: int
    argument: int


@dataclass(frozen=True, slots=True)
class Program:
    """Steps over a universe: `oids`, `indexes` and `clients` are rows of the tables above."""

    oids: int
    indexes: int
    clients: int
    buffer: int
    steps: tuple[Step, ...]

    def to_json(self) -> dict[str, object]:
        """The program as JSON data."""
        return {
            "oids": self.oids,
            "indexes": self.indexes,
            "clients": self.clients,
            "buffer": self.buffer,
            "steps": [[int(value) for value in step] for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Heuristics:
    """What makes random programs find faults sooner; calibration measures what each gains."""

    awkward: bool = True
    """Clients and handles that stores confuse, in the place of 0, 1 and 2."""
    few: bool = True
    """Few slots, used again and again, in most programs; nine in all otherwise."""
    repeats: bool = True
    """Some programs put two pages again and again."""


USED = Heuristics()
"""Those that runs use: all of them."""

HEADER = 5
REPEATS = 0xFF
"""The last byte of the header of a program that puts few pages again and again."""
SETUPS = ((0, 1), (1, 0), (0, 0), (1, 1), (2, 3), (3, 2), (3, 5), (0, 3))
"""The pools that each client starts with, as entries of GRANTS."""
SHAPES = ((3, 3), (2, 2), (1, 3), (3, 1), (1, 2), (2, 1), (1, 1), (2, 3))
"""How many objects and indexes of its universe a program uses: few slots are used again and again."""
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
"""Which code a byte stands for: the weights come to 256."""


def decode(data: bytes, pages: int, using: Heuristics = USED) -> Program:
    """The program that bytes stand for; any bytes of at least HEADER + 2 are one.

    `pages` is the size of the corpus. No page is put twice by a program, so that it tells where it came
    from; but where the last byte of the header is REPEATS two pages are put again and again, so that equal
    ones meet in a store that keeps them once.
    """
    universe, setup, first_page, mode, second = data[:HEADER]
    clients = 2 if second & 3 else 1
    steps = [
        Step(Code.NEW_POOL, client, name, 0, 0, grant)
        for client in range(clients)
        for name, grant in enumerate(SETUPS[setup & 7])
    ]
    objects, indexes = SHAPES[mode >> 4 & 7] if using.few else (3, 3)
    period = 2 if second == REPEATS and using.repeats else pages
    puts = 0
    for a, b in zip(data[HEADER::2], data[HEADER + 1 :: 2], strict=False):
        code = CODES[a]
        argument = a ^ b
        if code == Code.PUT:
            puts += 1
            argument = (first_page + puts % period) % pages
        elif code == Code.NEW_POOL:
            argument %= len(GRANTS)
        client = b >> 6 & 1 if clients == 2 else 0
        name = _NAMES[b >> 4 & 3] if code == Code.NEW_POOL else b >> 4 & 1
        steps.append(Step(code, client, name, (b & 3) % objects, (b >> 2 & 3) % indexes, argument))
    rows = (universe & 7, universe >> 3 & 7, mode & 3) if using.awkward else (0, 0, 0)
    return Program(*rows, (mode >> 2 & 3) % 3, tuple(steps[: pages - 1]))


def from_json(data: object) -> Program:
    """The program that `Program.to_json` wrote; ValueError with a reason where it is none.

    >>> program = decode(bytes(range(20)), 256)
    >>> from_json(program.to_json()) == program
    True
    """
    if not isinstance(data, dict):
        raise ValueError("the program is not an object")
    rows = [data.get(name) for name in ("oids", "indexes", "clients", "buffer")]
    limits = (len(OIDS), len(INDEXES), len(CLIENTS), 3)
    if not all(type(row) is int and 0 <= row < limit for row, limit in zip(rows, limits, strict=True)):
        raise ValueError("oids, indexes, clients or buffer of the program is out of range")
    steps = data.get("steps")
    if not isinstance(steps, list):
        raise ValueError("the program has no steps")
    oids, indexes, clients, buffer = (row for row in rows if isinstance(row, int))
    return Program(oids, indexes, clients, buffer, tuple(_step(step) for step in steps))


def _step(data: object) -> Step:
    limits = (len(Code), 2, 3, 3, 3, 256)
    if not isinstance(data, list) or len(data) != len(limits):
        raise ValueError(f"{data!r} is not a step: code, client, pool, oid, index, argument")
    for value, limit in zip(data, limits, strict=True):
        if type(value) is not int or not 0 <= value < limit:
            raise ValueError(f"{data!r} is not a step: {value!r} is out of range")
    step = Step(*data)
    if step.code == Code.NEW_POOL and step.argument >= len(GRANTS):
        raise ValueError(f"{data!r} is not a step: there is no grant {step.argument}")
    return step
