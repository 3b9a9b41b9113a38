"""The engine: what it runs in a turn, in which order, and how large."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Final

from tmem.conformance.engines.large import full, regain, story
from tmem.conformance.engines.large.areas import Area
from tmem.conformance.engines.large.chapters import CHAPTERS, PAGES, Chapter, Sizes, join
from tmem.conformance.engines.large.full import Capacity
from tmem.conformance.engines.large.pace import Pace, measured
from tmem.conformance.engines.large.perform import Performer
from tmem.conformance.engines.large.phases import Phase, PoolSpec, Program, Verb, from_json
from tmem.conformance.engines.large.stamps import SIZE
from tmem.conformance.engines.large.trials import NAME, Trials, finding
from tmem.conformance.events import Found, Note, Progress
from tmem.conformance.programs.perform import close
from tmem.conformance.turn import Source, Turn

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
SECONDS: Final = {"small": 3.0, "full": 4.0, "large": 16.0}
"""Seconds that each part may take at the speed that was measured, without what it shrinks."""
TINY: Final = 0.05
"""The scale up to which one small plan is run, and shorter cycles."""
RESTARTS: Final = 6
"""Violations after which a plan is not taken up again."""


class Large:
    """Stores that live long and fill up, run by phases over thousands of slots."""

    name = NAME
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
        trials = Trials(turn)
        if (claim := data.get("regain")) is not None:
            regain.again(trials, str(claim), variant, data.get("pages"))
            return
        program = from_json(data.get("program"))
        performer, ran = trials.perform(program, variant)
        turn.emit(Progress(ran.operations, 1, done=1.0))
        if ran.violation is not None:
            turn.emit(Found(finding(performer, ran.violation, variant)))


class _Work:
    """One turn of the engine."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._trials = Trials(turn)
        self._draw = random.Random(f"large {turn.seed}")
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
        self._trials.cost, self._trials.limits.waits = pace.seconds, pace.waits
        source = turn.source
        variants = range(min(VARIANTS, len(source.variants)) if isinstance(source, Source) else 2)
        parts: list[Callable[[], None]] = [
            lambda: regain.cycles(self._trials, 0, SECONDS["full"] / 2, 4 if turn.scale <= TINY else 1),
            *(lambda n=number: self._plan(n, "small") for number in ((0, 1) if turn.scale > TINY else (0,))),
            *(lambda n=number: self._full(n) for number in variants),
            lambda: self._plan(self._roomiest(), "large"),
        ]
        begun = round(turn.done * len(parts))
        for number, part in enumerate(parts):
            if number >= begun:
                part()
                turn.emit(Progress(done=(number + 1) / len(parts)))
            if self._trials.limits.reached():
                self._begun = (number + 1) / len(parts)
                break
        self._note()

    def _pace(self) -> Pace:
        phases = (Phase(Verb.NEW), *(Phase(verb, count=32) for verb in (Verb.PUT, Verb.GET, Verb.FLUSH)))
        program = Program(0, (PoolSpec(1, True),), (Area(),), phases)
        backend = self._turn.fresh(0)
        performer = self._trials.performer(program, backend)

        def batch() -> int:
            before = performer.ledger.count
            performer.run()
            return performer.ledger.count - before

        pace = measured(batch)
        close(backend)
        self._turn.ring.rest()
        return pace

    def _note(self) -> None:
        if self._turn.over():
            return
        if self._trials.limits.why:
            done = f"{self._part * self._begun:.0%} of large programs were run"
            self._turn.emit(Note(f"{done}, since {self._trials.limits.why}."))
        elif self._part < 1:
            speed = f"The target makes {1 / self._trials.cost:,.0f} operations a second"
            self._turn.emit(Note(f"{speed}: large programs were cut to {self._part:.0%}."))

    # Plans

    def _plan(self, variant: int, size: str) -> None:
        chapters = self._fitting(size, variant)
        restarts = 0
        while chapters and restarts <= RESTARTS:
            program, begins = join(chapters, self._turn.seed)
            performer, ran = self._trials.judged(program, variant)
            if size == "large":
                self._learn(performer, variant)
            if ran.violation is None:
                return
            number = sum(begin <= ran.number for begin in begins) - 1
            place = min(number, len(chapters) - 1)
            self._trials.report(performer, ran, variant, program, begins[place] if number == place else 0)
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
        allowed = SECONDS[size] / self._trials.cost
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
        limit = min(self._pages, PROBED, max(64, int(SECONDS["full"] / VARIANTS / self._trials.cost / 12)))
        for texture in ("noise", "mixed"):
            performer, ran = self._trials.judged(full.probe(limit, texture, self._turn.seed), variant)
            if ran.violation is not None:
                self._trials.report(performer, ran, variant, performer.program)
                return
            found = full.capacity(performer)
            if found.known is None:
                return
            self._capacities[variant] = found
            self._brim(variant, found.persistent or found.known, texture)
        if regain.claimed(self._trials, variant):
            regain.room(self._trials, variant, limit)

    def _brim(self, variant: int, pages: int, texture: str) -> None:
        if not pages:
            return
        program = full.brim(pages, max(2 * pages + 64, PROBED), texture, self._turn.seed, self._draw)
        performer, ran = self._trials.judged(program, variant)
        if ran.violation is not None:
            self._trials.report(performer, ran, variant, program)


def _fields(sizes: Sizes) -> tuple[int, int, int]:
    return sizes.pages, sizes.times, sizes.probes
