"""Makes a failing large program small: fewer phases, lower counts, plainer pools and areas.

Every candidate runs on a fresh backend. A program of many operations takes long, so halves are tried first,
and shrinking ends after a fixed number of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from tmem.conformance.engines.large.phases import Item, Loop, Phase, PoolSpec, Program, Verb
from tmem.conformance.programs.shrink import alike
from tmem.model import Violation

COUNTS: Final = ("pools", "count", "times")
PLAIN: Final = {"step": 1, "spacing": 1, "first": 0, "until_refused": 0}
"""What a phase without anything special has."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of a program came to: the violation, where it was, and the operations it took.

    `number` is that of the phase, `turn` that of its loop; `name` and `slot` those of the operation.
    """

    violation: Violation | None
    number: int = 0
    turn: int = 0
    name: int = 0
    slot: int = 0
    operations: int = 0


Run = Callable[[Program], Ran]


class Shrinker:
    """The smallest program so far, and what it came to."""

    def __init__(self, program: Program, ran: Ran, run: Run, operations: int) -> None:
        assert ran.violation is not None
        self.program = program
        self.ran = ran
        self._clause = ran.violation.clause
        self._run = run
        self._left = operations

    def shrink(self, chapter: int) -> Program:
        """Make it small; `chapter` is the first item of the chapter in which it failed."""
        whole = self._cut()
        self._take(replace(whole, items=whole.items[chapter:])) or self._take(whole)
        before = None
        while before != self.program and self._left > 0:
            before = self.program
            self._halve()
            self._drop()
            self._lower()
            self._take(self._cut())
            self._single()
            for change in _changes(len(self.program.areas)):
                self._take(change(self.program))
        return self.program

    def _take(self, candidate: Program) -> bool:
        # Whether the candidate fails alike, and is the smallest from now on.
        if candidate == self.program or self._left <= 0:
            return False
        ran = self._run(candidate)
        self._left -= ran.operations
        if ran.violation is None or not alike(ran.violation.clause, self._clause):
            return False
        self.program, self.ran = candidate, ran
        return True

    def _cut(self) -> Program:
        """Without what comes after the violation."""
        kept: list[Item] = []
        number = 0
        for item in self.program.items:
            size = len(item.phases) if isinstance(item, Loop) else 1
            if number + size > self.ran.number:
                kept.append(replace(item, times=self.ran.turn + 1) if isinstance(item, Loop) else item)
                break
            kept.append(item)
            number += size
        return replace(self.program, items=tuple(kept))

    def _single(self) -> None:
        """The one operation that failed in the place of its phase; or after it, where it takes the others."""
        *before, last = self.program.items
        slot = self.ran.slot
        if isinstance(last, Loop):
            phase = last.phases[min(self.ran.number - _phases(before), len(last.phases) - 1)]
            done: list[Item] = [replace(last, times=last.times - 1)] if last.times > 1 else []
            done += last.phases[: last.phases.index(phase)]
        else:
            phase, done = last, []
        if phase.verb in (Verb.NEW, Verb.DESTROY, Verb.RECLAIM) or phase.until_refused:
            return
        one = replace(phase, pool=self.ran.name, pools=1, first=slot, count=1, spacing=1, step=1, times=1)
        for items in ((*before, one), (*before, *done, one)):
            if self._take(replace(self.program, items=items)):
                return
        if phase.times > 1 and phase.count == 1:
            self._take(replace(self.program, items=(*before, replace(phase, times=phase.times - 1), one)))

    def _drop(self) -> None:
        """Leave items out, many at once first; then phases of loops."""
        size = max(len(self.program.items) // 2, 1)
        while size:
            for start in range(len(self.program.items) - size, -1, -size):
                items = self.program.items
                self._take(replace(self.program, items=items[:start] + items[start + size :]))
            size //= 2
        for place in reversed(range(len(self.program.items))):
            item = self.program.items[place]
            if isinstance(item, Loop):
                self._unloop(place, item)

    def _unloop(self, place: int, loop: Loop) -> None:
        if self._take(self._with(place, *loop.phases)):
            return
        for number in reversed(range(len(loop.phases))):
            now = self.program.items[place]
            if isinstance(now, Loop) and len(now.phases) > 1:
                left = now.phases[:number] + now.phases[number + 1 :]
                self._take(self._with(place, Loop(now.times, left)))
        left_over = self.program.items[place]
        if isinstance(left_over, Loop) and len(left_over.phases) == 1 and left_over.phases[0].times == 1:
            self._take(self._with(place, replace(left_over.phases[0], times=left_over.times)))

    def _with(self, place: int, *items: Item) -> Program:
        before = self.program.items
        return replace(self.program, items=(*before[:place], *items, *before[place + 1 :]))

    def _halve(self) -> None:
        """Lower all counts at once, as long as it fails."""
        for part in (64, 8, 2):
            while self._take(_scaled(self.program, part)):
                pass

    def _lower(self) -> None:
        """Lower the counts one by one, and plain out how phases walk."""
        for place in reversed(range(len(self.program.items))):
            item = self.program.items[place]
            if isinstance(item, Loop):
                self._least(place, "times", None)
                for number in range(len(item.phases)):
                    for name in COUNTS:
                        self._least(place, name, number)
                continue
            for name in COUNTS:
                self._least(place, name, None)
            for name, value in PLAIN.items():
                now = self.program.items[place]
                if isinstance(now, Phase):
                    self._take(self._with(place, _set(now, name, value)))

    def _least(self, place: int, name: str, number: int | None) -> None:
        """The least count with which it fails: 1, or by bisection."""

        def at(value: int) -> Program:
            item = self.program.items[place]
            if isinstance(item, Phase):
                return self._with(place, _set(item, name, value))
            if number is None:
                return self._with(place, replace(item, times=value))
            phases = list(item.phases)
            phases[number] = _set(phases[number], name, value)
            return self._with(place, replace(item, phases=tuple(phases)))

        item = self.program.items[place]
        holder = item if number is None or isinstance(item, Phase) else item.phases[number]
        high: int = getattr(holder, name)
        if high == 1 or self._take(at(1)):
            return
        low = 1
        while high - low > 1 and self._left > 0:
            middle = (low + high) // 2
            if self._take(at(middle)):
                high = middle
            else:
                low = middle


def _set(phase: Phase, name: str, value: int) -> Phase:
    match name:
        case "pools":
            return replace(phase, pools=value)
        case "count":
            return replace(phase, count=value)
        case "times":
            return replace(phase, times=value)
        case "step":
            return replace(phase, step=value)
        case "spacing":
            return replace(phase, spacing=value)
        case "first":
            return replace(phase, first=value)
        case _:
            return replace(phase, until_refused=bool(value))


def _phases(items: list[Item]) -> int:
    return sum(len(each.phases) if isinstance(each, Loop) else 1 for each in items)


def _scaled(program: Program, part: int) -> Program:
    def less(phase: Phase) -> Phase:
        return replace(
            phase,
            first=-(-phase.first // part),
            count=-(-phase.count // part),
            times=-(-phase.times // part),
            step=phase.step if phase.step in (1, -1) else 1,
        )

    items: list[Item] = []
    for item in program.items:
        if isinstance(item, Loop):
            items.append(Loop(-(-item.times // part), tuple(map(less, item.phases))))
        else:
            items.append(less(item))
    areas = tuple(
        replace(each, width=-(-each.width // part)) if each.width > 64 else each for each in program.areas
    )
    return replace(program, items=tuple(items), areas=areas)


def _changes(areas: int) -> Iterator[Callable[[Program], Program]]:
    """What makes pools and areas plainer, one change at a time, and fewer."""
    yield _used
    for number in range(areas):
        for name, value in (("objects", "near"), ("indexes", "dense"), ("texture", "light")):
            yield partial(_area, number=number, name=name, value=value)
        yield partial(_width, number=number, one=False)
        yield partial(_width, number=number, one=True)
    yield partial(_pools, change=lambda pool: replace(pool, client=1))
    yield _clients
    yield _uuids
    yield partial(_pools, change=lambda pool: replace(pool, uuid=None))
    yield partial(_pools, change=lambda pool: replace(pool, persistent=True))


def _area(program: Program, number: int, name: str, value: str) -> Program:
    if number >= len(program.areas):
        return program
    area = program.areas[number]
    match name:
        case "objects":
            area = replace(area, objects=value)
        case "indexes":
            area = replace(area, indexes=value)
        case _:
            area = replace(area, texture=value)
    return replace(program, areas=(*program.areas[:number], area, *program.areas[number + 1 :]))


def _width(program: Program, number: int, one: bool) -> Program:
    """An area of one object, or of one page in each."""
    if number >= len(program.areas):
        return program
    widest = max((each.last + 1 for each in program.phases() if each.area == number), default=1)
    area = replace(program.areas[number], width=1 if one else widest)
    return replace(program, areas=(*program.areas[:number], area, *program.areas[number + 1 :]))


def _pools(program: Program, change: Callable[[PoolSpec], PoolSpec]) -> Program:
    return replace(program, pools=tuple(change(each) for each in program.pools))


def _clients(program: Program) -> Program:
    order = {client: n for n, client in enumerate(dict.fromkeys(each.client for each in program.pools), 1)}
    return _pools(program, lambda pool: replace(pool, client=order[pool.client]))


def _uuids(program: Program) -> Program:
    known = dict.fromkeys(each.uuid for each in program.pools if each.uuid is not None)
    plain = {uuid: 0xA + n for n, uuid in enumerate(known)}
    return _pools(program, lambda pool: pool if pool.uuid is None else replace(pool, uuid=plain[pool.uuid]))


def _used(program: Program) -> Program:
    """The program without the pools and areas that no phase names."""
    names: set[int] = set()
    areas: set[int] = set()
    for phase in program.phases():
        names.update(range(phase.pool, phase.pool + phase.pools))
        areas.add(phase.area)
    name_of = {old: new for new, old in enumerate(sorted(names))}
    area_of = {old: new for new, old in enumerate(sorted(areas))}

    def renamed(phase: Phase) -> Phase:
        return replace(phase, pool=name_of[phase.pool], area=area_of[phase.area])

    items: list[Item] = []
    for item in program.items:
        if isinstance(item, Loop):
            items.append(replace(item, phases=tuple(map(renamed, item.phases))))
        else:
            items.append(renamed(item))
    pools: tuple[PoolSpec, ...] = tuple(program.pools[each] for each in sorted(names))
    return replace(
        program, items=tuple(items), pools=pools, areas=tuple(program.areas[each] for each in sorted(areas))
    )
