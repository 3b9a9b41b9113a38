"""The engine: what it runs in a turn, in which order, and what becomes of a violation."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tmem.conformance.coverage import Coverage
from tmem.conformance.engines.large import full, growth, story, world
from tmem.conformance.engines.large.areas import Area
from tmem.conformance.engines.large.chapters import CHAPTERS, Chapter, Sizes, join
from tmem.conformance.engines.large.full import Capacity
from tmem.conformance.engines.large.pace import Limits, Pace, measured
from tmem.conformance.engines.large.perform import PHASE_AT, Performer
from tmem.conformance.engines.large.phases import Phase, PoolSpec, Program, Verb, from_json
from tmem.conformance.engines.large.shrink import Ran, Shrinker
from tmem.conformance.engines.large.stamps import SIZE
from tmem.conformance.events import Checked, Finding, Found, Note, Progress, World
from tmem.conformance.programs.perform import close
from tmem.conformance.programs.shrink import alike
from tmem.conformance.turn import Source, Turn
from tmem.model import Violation
from tmem.spec.backend import Backend, Claims
from tmem.spec.clauses import CLAIMS
from tmem.spec.clauses.claims import room_regained
from tmem.spec.slot import Does

PAGES: Final = 70_000
"""Pages of a fill, and times that one thing is done, at scale 1: past 2^16."""
PROBES: Final = 200_000
"""Random ids that are asked for and were never put: with PAGES some have equal hashes of 32 bits."""
BYTES: Final = 512 << 20
"""Bytes of pages that a store is given at the most."""
SMALL: Final = Sizes(600, 600, 2_000)
"""The first, small plan: past 2^8, and quick to shrink."""
PROBED: Final = 5_200
"""Pages up to which a store that fills up is looked for before the large plan."""
VARIANTS: Final = 4
"""Backends by number that are looked at: targets of several kinds make them in turn."""
SECONDS: Final = {"small": 3.0, "full": 4.0, "large": 10.0}
"""Seconds that each part may take at the speed that was measured, without what it shrinks."""
SHRINK: Final = 6.0
"""Seconds for the shrinking of a violation, at the speed that was measured."""
TINY: Final = 0.05
"""The scale up to which one small plan is run, and shorter cycles."""
RESTARTS: Final = 6
"""Violations after which a plan is not taken up again."""


class Large:
    """Stores that live long and fill up, run by phases over thousands of slots."""

    name = "large"
    detail = "large programs: many pages, many times, full stores"
    share = 0.2

    def run(self, turn: Turn) -> None:
        """Run the small plan, full stores, the large plan and cycles, or as much as fits."""
        if turn.page_size < 2 * SIZE:
            turn.emit(Note(f"Pages of {turn.page_size} bytes are too short for large programs."))
            return
        _Work(turn).run()

    def steps(self, program: bytes, count: int) -> list[str]:
        """The phases up to a step of a program given to the ring, whose number is `count - 1`."""
        return story.plan(from_json(json.loads(program)), count - 1)

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a program given to the ring."""
        return {"engine": self.name, "variant": variant, "program": json.loads(program)}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Run the program, or the check of the claim, of a replay file; ValueError where it is none."""
        variant = data.get("variant", 0)
        if not isinstance(variant, int):
            raise ValueError("the variant of the backend is not a number")
        work = _Work(turn)
        if (claim := data.get("regain")) is not None:
            work.claim(str(claim), variant, data.get("pages"))
            return
        program = from_json(data.get("program"))
        performer, ran = work.perform(program, variant)
        turn.emit(Progress(ran.operations, 1, done=1.0))
        if ran.violation is not None:
            turn.emit(Found(_finding(performer, ran.violation, variant)))


@dataclass(slots=True)
class _Plan:
    """Chapters that are still to be run, on backends of this number."""

    variant: int
    chapters: tuple[Chapter, ...]


class _Work:
    """One turn of the engine."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._limits = Limits(turn, waits=False)
        self._shrinking = False
        self._found: set[str] = set()
        self._coverage = Coverage()
        self._draw = random.Random(f"large {turn.seed}")
        self._cost = 0.0
        self._capacities: dict[int, Capacity] = {}
        self._part = 1.0
        self._begun = 1.0
        most = min(PAGES, BYTES // turn.page_size)
        self._pages = max(round(most * min(turn.scale, 1.0)), 300)
        self._times = max(round(PAGES * min(turn.scale, 1.0)), 300)

    def run(self) -> None:
        """Each part in turn; those that an earlier turn did are left out."""
        turn = self._turn
        pace = self._pace()
        self._cost, self._limits.waits = pace.seconds, pace.waits
        source = turn.source
        variants = range(min(VARIANTS, len(source.variants)) if isinstance(source, Source) else 2)
        parts: list[Callable[[], None]] = [
            lambda: self._cycles(0),
            *(lambda n=number: self._plan(n, "small") for number in ((0, 1) if turn.scale > TINY else (0,))),
            *(lambda n=number: self._full(n) for number in variants),
            lambda: self._plan(self._roomiest(), "large"),
        ]
        begun = round(turn.done * len(parts))
        for number, part in enumerate(parts):
            if number >= begun:
                part()
                turn.emit(Progress(done=(number + 1) / len(parts)))
            if self._limits.reached():
                self._begun = (number + 1) / len(parts)
                break
        self._tell()

    def _pace(self) -> Pace:
        phases = (Phase(Verb.NEW), *(Phase(verb, count=32) for verb in (Verb.PUT, Verb.GET, Verb.FLUSH)))
        program = Program(0, (PoolSpec(1, True),), (Area(),), phases)
        backend = self._turn.fresh(0)
        performer = self._performer(program, backend)

        def batch() -> int:
            before = performer.ledger.count
            performer.run()
            return performer.ledger.count - before

        pace = measured(batch)
        close(backend)
        self._turn.ring.rest()
        return pace

    def _tell(self) -> None:
        if self._turn.over():
            return
        if self._limits.why:
            done = f"{self._part * self._begun:.0%} of large programs were run"
            self._turn.emit(Note(f"{done}, since {self._limits.why}."))
        elif self._part < 1:
            told = f"The target makes {1 / self._cost:,.0f} operations a second"
            self._turn.emit(Note(f"{told}: large programs were cut to {self._part:.0%}."))

    # Plans

    def _plan(self, variant: int, size: str) -> None:
        chapters = self._fitting(size, variant)
        restarts = 0
        while chapters and restarts <= RESTARTS:
            program, begins = join(chapters, self._turn.seed)
            performer, ran = self._judged(program, variant)
            if size == "large":
                self._learn(performer, variant)
            if ran.violation is None:
                return
            number = sum(begin <= ran.number for begin in begins) - 1
            place = min(number, len(chapters) - 1)
            self._report(performer, ran, variant, program, begins[place] if number == place else 0)
            chapters = chapters[place + 1 :] if number == place else ()
            restarts += 1

    def _fitting(self, size: str, variant: int) -> tuple[Chapter, ...]:
        # The chapters with the counts that fit the time, or as many as do with the smallest counts.
        known = self._capacities.get(variant, Capacity()).known
        pages = self._pages if known is None else min(self._pages, max(2 * known, SMALL.pages))
        wanted = (
            SMALL
            if size == "small"
            else Sizes(pages, self._times, round(PROBES * min(self._turn.scale, 1.0)))
        )
        allowed = SECONDS[size] / self._cost
        total = self._operations(wanted)
        part = min(1.0, allowed / total)
        if size == "large":
            self._part = part
        least = Sizes(64, 64, 64)
        sizes = wanted if part == 1 else Sizes(*(max(round(n * part), 64) for n in _fields(wanted)))
        chapters = self._chapters(sizes if self._operations(least) < allowed else least, variant)
        while len(chapters) > 1 and join(chapters, 0)[0].operations() > 2 * allowed:
            chapters = chapters[:-1]
        return chapters

    def _chapters(self, sizes: Sizes, variant: int = 0) -> tuple[Chapter, ...]:
        draw = random.Random(f"chapters {self._turn.seed} {variant} {sizes.pages}")
        return tuple(write(sizes, draw) for write in CHAPTERS)

    def _operations(self, sizes: Sizes) -> int:
        return join(self._chapters(sizes), 0)[0].operations()

    def _learn(self, performer: Performer, variant: int) -> None:
        # A store that has room for more than the probe, and for less than the plan.
        for phase, tally in zip(performer.program.phases(), performer.tallies, strict=False):
            if (
                phase.verb is Verb.PUT
                and phase.count > PROBED
                and tally["failed"]
                and variant not in self._capacities
            ):
                self._capacities[variant] = Capacity(persistent=tally["stored"])
                self._brim(variant, tally["stored"], "light")

    def _roomiest(self) -> int:
        known = {number: self._capacities.get(number, Capacity()).known for number in range(VARIANTS)}
        return next(
            (number for number, pages in known.items() if pages is None),
            max(known, key=lambda n: known[n] or 0),
        )

    # Full stores

    def _full(self, variant: int) -> None:
        limit = min(self._pages, PROBED, max(64, int(SECONDS["full"] / VARIANTS / self._cost / 12)))
        for texture in ("noise", "mixed"):
            performer, ran = self._judged(full.probe(limit, texture, self._turn.seed), variant)
            if ran.violation is not None:
                self._report(performer, ran, variant, performer.program)
                return
            found = full.capacity(performer)
            if found.known is None:
                return
            self._capacities[variant] = found
            self._brim(variant, found.persistent or found.known, texture)
        self._regained(variant, limit)

    def _brim(self, variant: int, pages: int, texture: str) -> None:
        if not pages:
            return
        program = full.brim(pages, max(2 * pages + 64, PROBED), texture, self._turn.seed, self._draw)
        performer, ran = self._judged(program, variant)
        if ran.violation is not None:
            self._report(performer, ran, variant, program)

    # Claims

    def _cycles(self, variant: int) -> None:
        backend = self._turn.fresh(variant)
        claims = isinstance(backend, Claims) and "regain" in backend.claims
        close(backend)
        seconds = SECONDS["full"] / 2
        for cycle in growth.CYCLES_TRIED:
            count = min(growth.CYCLES, int(seconds / self._cost / growth.LOOKS / len(cycle.phases) / 3))
            if self._turn.scale <= TINY:
                count //= 4
            found = self._grown(cycle, variant, max(count, 16))
            if found is None or found.cycles < growth.CYCLES // 8:
                continue
            self._turn.emit(World({f"bytes grown per {found.cycle}": max(round(found.each), 0)}))
            if claims:
                self._turn.emit(Checked({"regain": 1}, {"regain": 1}))
            if found.leaks and claims:
                self._leaks(found, variant)
                return
            if found.leaks:
                self._turn.emit(
                    Note(f"The process grows by {found.each:,.0f} bytes for each {found.cycle}, without end.")
                )

    def _grown(self, cycle: growth.Cycle, variant: int, cycles: int) -> growth.Growth | None:
        backend = self._turn.fresh(variant)
        program = cycle.program(cycles, self._turn.seed)
        looks: list[growth.Look] = []
        performer = self._performer(program, backend)
        for _ in range(growth.LOOKS + 1):
            performer.restart()
            violation = performer.run()
            now = growth.look()
            if violation is not None or now is None or performer.stopped:
                break
            looks.append(now)
        self._turn.emit(Progress(performer.ledger.count, 1))
        close(backend)
        self._turn.ring.rest()
        if len(looks) <= growth.LOOKS:
            return None
        return growth.Growth.of(cycle.name, cycles, looks)

    def _leaks(self, found: growth.Growth, variant: int) -> None:
        told = f"The process grows by {found.each:,.0f} bytes for each {found.cycle}, again and again."
        cycle = next(each for each in growth.CYCLES_TRIED if each.name == found.cycle)
        program = cycle.program(found.cycles, self._turn.seed)
        steps = story.plan(program, len(list(program.phases())) << PHASE_AT)
        grown = f"after each further {found.cycles:,} times: {found}"
        self._emit(
            Finding(
                "regain",
                told,
                CLAIMS["regain"].sentence,
                (*steps, grown),
                {
                    "engine": Large.name,
                    "variant": variant,
                    "regain": found.cycle,
                },
                engine=Large.name,
            )
        )

    def _regained(self, variant: int, limit: int) -> None:
        backend = self._turn.fresh(variant)
        claims = isinstance(backend, Claims) and "regain" in backend.claims
        close(backend)
        if claims:
            self.claim("room", variant, limit)

    def claim(self, what: str, variant: int, pages: object) -> None:
        """Check the claim `regain` by the growth of a cycle, or by filling a store twice."""
        cycle = next((each for each in growth.CYCLES_TRIED if each.name == what), None)
        if cycle is not None:
            found = self._grown(cycle, variant, growth.CYCLES)
            if found is not None and found.leaks:
                self._leaks(found, variant)
            return
        if what != "room" or not isinstance(pages, int) or not 0 < pages < PAGES:
            raise ValueError(f"{what!r} is no way in which regain is checked")
        fill = Phase(Verb.PUT, count=pages, until_refused=True)
        items = (Phase(Verb.NEW), fill, Phase(Verb.FLUSH, count=pages), fill)
        program = Program(self._turn.seed, (PoolSpec(1, True),), (Area("near", "dense", 8, "copies"),), items)
        performer, ran = self.perform(program, variant)
        self._turn.emit(Progress(ran.operations, 1))
        self._turn.emit(Checked({"regain": 1}, {"regain": 1}))
        if ran.violation is not None or len(performer.tallies) < len(items):
            return
        first, second = performer.tallies[1]["stored"], performer.tallies[3]["stored"]
        if room_regained(first, second):
            return
        told = f"After a fill of {first:,} pages and a flush of all, {second:,} found room."
        data: dict[str, object] = {"engine": Large.name, "variant": variant, "regain": "room", "pages": pages}
        steps = story.lines(performer, None)
        self._emit(Finding("regain", told, CLAIMS["regain"].sentence, steps, data, engine=Large.name))

    # Programs

    def perform(self, program: Program, variant: int) -> tuple[Performer, Ran]:
        """Run a program on a fresh backend, which may hang or die: it is on the ring."""
        backend = self._turn.fresh(variant)
        performer = self._performer(program, backend)
        violation = performer.run()
        raised = close(backend)
        self._turn.ring.rest()
        if raised is not None and violation is None and not performer.stopped:
            last = performer.last()
            violation = Violation(
                "TMEM-ERR-1", f"close raised {raised}.", "to return", performer.ledger.count, *last
            )
        number, turn = performer.at
        return performer, Ran(violation, number, turn, *performer.loops.slot, performer.ledger.count)

    def _performer(self, program: Program, backend: Backend) -> Performer:
        self._turn.ring.begin(Large.name, json.dumps(program.to_json()).encode())
        return Performer(program, backend, self._turn.ring, self._over, self._watch)

    def _over(self) -> bool:
        return self._turn.over() if self._shrinking else self._limits.reached()

    def _watch(self, performer: Performer, phase: Phase) -> None:
        if found := world.held(performer, phase):
            self._turn.emit(World(dict(found)))
        if phase.count * phase.times >= 4096:
            self._turn.emit(Progress())

    def _judged(self, program: Program, variant: int) -> tuple[Performer, Ran]:
        start = time.monotonic()
        performer, ran = self.perform(program, variant)
        ledger = performer.ledger
        self._coverage.seen(ledger, twins=False, changed=False)
        self._coverage.report(self._turn.emit)
        seen = dict(world.seen(performer)) | {"full": ledger.seen["full"]}
        seen["evicted"] = sum(
            count
            for (kind, state, does), count in ledger.transitions.items()
            if does is Does.MISS and state in ("page", "replaced")
        )
        seen["age of a page in seconds"] = int(time.monotonic() - start)
        self._turn.emit(Progress(ran.operations, 1))
        self._turn.emit(World(seen))
        return performer, ran

    def _report(self, performer: Performer, ran: Ran, variant: int, program: Program, begin: int = 0) -> None:
        violation = ran.violation
        assert violation is not None
        if any(alike(violation.clause, known) for known in self._found):
            return
        operations = round(SHRINK / self._cost / (1 + len(self._found)))

        def again(candidate: Program) -> Ran:
            return self.perform(candidate, variant)[1]

        self._shrinking = True
        small = Shrinker(program, ran, again, operations).shrink(begin)
        seen, found = self.perform(small, variant)
        self._shrinking = False
        if found.violation is None:
            seen, found = performer, ran
        assert found.violation is not None
        self._found.add(violation.clause)
        self._emit(_finding(seen, found.violation, variant))

    def _emit(self, finding: Finding) -> None:
        self._found.add(finding.clause)
        self._turn.emit(Found(finding))


def _fields(sizes: Sizes) -> tuple[int, int, int]:
    return sizes.pages, sizes.times, sizes.probes


def _finding(performer: Performer, violation: Violation, variant: int) -> Finding:
    data: dict[str, object] = {
        "engine": Large.name,
        "variant": variant,
        "program": performer.program.to_json(),
    }
    steps = story.lines(performer, violation)
    return Finding(violation.clause, violation.message, violation.allowed, steps, data, engine=Large.name)
