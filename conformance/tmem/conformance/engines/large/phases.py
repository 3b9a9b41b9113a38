"""The language of large programs: phases over many slots, and loops of phases.

A phase is one operation done to many slots, in many pools, many times over; a loop repeats a few phases.
So a program of a million operations is a dozen lines, which shrink by leaving phases out and by lowering
counts, and which a person reads as loops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from itertools import chain, repeat
from typing import Final, TypeAlias

from tmem.conformance.engines.large.areas import INDEXES, OBJECTS, SLOTS, TEXTURES, Area
from tmem.spec.slot import Kind

LONGEST: Final = 1 << 24
"""Times that a phase or loop may be repeated."""
WIDEST: Final = 1 << 15
"""Phases, pools or areas in a program at the most."""


class Verb(StrEnum):
    """The operation of a phase."""

    NEW = "new pool"
    DESTROY = "destroy pool"
    PUT = "put"
    GET = "get"
    FLUSH = "flush page"
    FLUSH_OBJECT = "flush object"
    RECLAIM = "reclaim"


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """A pool that phases name by its place in the program: who makes it, and its kind.

    Pools of one UUID are one shared pool, joined by several clients.
    """

    client: int
    persistent: bool
    uuid: int | None = None

    def offered(self, missing: Collection[str]) -> PoolSpec:
        """The pool of the kind that is nearest, where kinds are `missing`; itself if all are.

        >>> PoolSpec(1, True, 7).offered({"private persistent", "shared persistent", "shared ephemeral"})
        PoolSpec(client=1, persistent=False, uuid=None)
        """
        for persistent in (self.persistent, not self.persistent):
            for uuid in (self.uuid, None):
                if str(Kind(persistent, uuid is not None)) not in missing:
                    return PoolSpec(self.client, persistent, uuid)
        return self


@dataclass(frozen=True, slots=True)
class Phase:
    """One operation, done to `count` slots of each of `pools` pools from `pool` on, `times` times over.

    The slots are `first + spacing * m` of the area, where m counts to `count` in steps of `step` around
    the circle: 1 is upwards, -1 downwards. For flush object they are object numbers. Reclaim asks for `count`
    pages. A put with `until_refused` ends when one was not stored.
    """

    verb: Verb
    pool: int = 0
    pools: int = 1
    area: int = 0
    first: int = 0
    count: int = 1
    spacing: int = 1
    step: int = 1
    times: int = 1
    until_refused: bool = False

    def slots(self) -> Iterable[int]:
        """The numbers of its slots, in order.

        >>> [*Phase(Verb.GET, first=3, count=4, step=-1).slots()]
        [6, 5, 4, 3]
        >>> [*Phase(Verb.GET, count=5, spacing=2, step=3).slots()]
        [0, 6, 2, 8, 4]
        """
        once: Iterable[int]
        upwards = range(self.first, self.first + self.spacing * self.count, self.spacing)
        if self.step == 1:
            once = upwards
        elif self.step == -1:
            once = reversed(upwards) if self.times == 1 else upwards[::-1]
        else:
            once = [upwards[m * self.step % self.count] for m in range(self.count)]
        return once if self.times == 1 else chain.from_iterable(repeat(once, self.times))

    @property
    def last(self) -> int:
        """The greatest of its slots."""
        return self.first + self.spacing * (self.count - 1)


@dataclass(frozen=True, slots=True)
class Loop:
    """Phases that are repeated, in order."""

    times: int
    phases: tuple[Phase, ...]


Item: TypeAlias = Phase | Loop


@dataclass(frozen=True, slots=True)
class Program:
    """What one backend gets; `seed` decides what is drawn at random, object ids for one."""

    seed: int
    pools: tuple[PoolSpec, ...]
    areas: tuple[Area, ...]
    items: tuple[Item, ...]

    def numbered(self) -> Iterator[tuple[int, Item]]:
        """Each item, with the number of its first phase among all phases."""
        number = 0
        for item in self.items:
            yield number, item
            number += len(item.phases) if isinstance(item, Loop) else 1

    def phases(self) -> Iterator[Phase]:
        """Each phase once, in order."""
        return chain.from_iterable(item.phases if isinstance(item, Loop) else (item,) for item in self.items)

    def operations(self) -> int:
        """How many operations it has at the most."""
        return sum(
            times * phase.times * phase.pools * (1 if phase.verb in _ONCE else phase.count)
            for times, phases in (
                (item.times, item.phases) if isinstance(item, Loop) else (1, (item,)) for item in self.items
            )
            for phase in phases
        )

    def to_json(self) -> dict[str, object]:
        """The program as JSON data; a phase without what it does not say."""
        return {
            "seed": self.seed,
            "pools": [[each.client, each.persistent, each.uuid] for each in self.pools],
            "areas": [[each.objects, each.indexes, each.width, each.texture] for each in self.areas],
            "items": [
                _said(item)
                if isinstance(item, Phase)
                else {"times": item.times, "phases": [_said(each) for each in item.phases]}
                for item in self.items
            ],
        }


_ONCE: Final = (Verb.NEW, Verb.DESTROY, Verb.RECLAIM)
_PLAIN: Final = Phase(Verb.PUT)
_LIMITS: Final = {
    "pool": WIDEST,
    "pools": WIDEST,
    "area": WIDEST,
    "first": SLOTS,
    "count": SLOTS,
    "spacing": SLOTS,
    "step": SLOTS,
    "times": LONGEST,
}


def _said(phase: Phase) -> dict[str, object]:
    said = asdict(phase)
    return {"verb": str(phase.verb)} | {
        name: value for name, value in said.items() if name != "verb" and value != getattr(_PLAIN, name)
    }


def from_json(data: object) -> Program:
    """Return the program that `Program.to_json` wrote. Raises ValueError with the reason for other data.

    >>> program = Program(1, (PoolSpec(1, True),), (Area(),), (Phase(Verb.NEW), Loop(3, (Phase(Verb.PUT),))))
    >>> from_json(program.to_json()) == program
    True
    """
    if not isinstance(data, dict):
        raise ValueError("the program is not an object")
    lists = [data.get(name) for name in ("pools", "areas", "items")]
    if type(data.get("seed")) is not int or not all(isinstance(each, list) for each in lists):
        raise ValueError("seed, pools, areas or items of the program are missing or of another type")
    pools, areas, items = (tuple(each) for each in lists if isinstance(each, list))
    program = Program(data["seed"], (*map(_pool, pools),), (*map(_area, areas),), (*map(_item, items),))
    for phase in program.phases():
        if not (phase.pool >= 0 and phase.pool + phase.pools <= len(pools)):
            raise ValueError(f"there is no pool {phase.pool} or no {phase.pools} of them")
        if phase.area >= len(areas) or phase.last >= SLOTS:
            raise ValueError(f"there is no area {phase.area}, or no slot {phase.last} in it")
    return program


def _pool(data: object) -> PoolSpec:
    match data:
        case [int(client), bool(persistent), None | int() as uuid] if 0 <= client < 1 << 16:
            return PoolSpec(client, persistent, uuid)
    raise ValueError(f"{data!r} is not a pool: client, persistent, uuid")


def _area(data: object) -> Area:
    match data:
        case [str(objects), str(indexes), int(width), str(texture)] if (
            objects in (*OBJECTS, "random")
            and indexes in INDEXES
            and texture in TEXTURES
            and 0 < width <= SLOTS
        ):
            return Area(objects, indexes, width, texture)
    raise ValueError(f"{data!r} is not an area: objects, indexes, width, texture")


def _item(data: object) -> Item:
    match data:
        case {"times": int(times), "phases": list(phases)} if 0 < times < LONGEST:
            return Loop(times, tuple(_phase(each) for each in phases))
    return _phase(data)


def _phase(data: object) -> Phase:
    if not isinstance(data, dict) or data.get("verb") not in [*Verb]:
        raise ValueError(f"{data!r:.60} is not a phase: it has no verb of {', '.join(Verb)}")
    if unknown := set(data) - {field.name for field in fields(Phase)}:
        raise ValueError(f"a phase has no {', '.join(sorted(unknown))}")
    given = {name: value for name, value in data.items() if name not in ("verb", "until_refused")}
    for name, value in given.items():
        least = -1 if name == "step" else 1 if name in ("pools", "count", "spacing", "times") else 0
        if type(value) is not int or not least <= value <= _LIMITS[name]:
            raise ValueError(f"{name} of a phase is {value!r}")
    return Phase(Verb(data["verb"]), until_refused=data.get("until_refused") is True, **given)
