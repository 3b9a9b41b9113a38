"""The engine for races: small concurrent programs of a Python target, under schedules of our choosing."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Final

from tmem.conformance.compiled.library import LibraryError, instrumented
from tmem.conformance.events import Checked, Covered, DataRace, Found, NotDone, Note, Progress
from tmem.conformance.history.exhaustive import ATOMIC, Judging, undeclared, violation_in
from tmem.conformance.loader import LoadError
from tmem.conformance.schedules import waiting as waits
from tmem.conformance.schedules.explore import (
    ENGINE,
    Subject,
    explore,
    explore_one,
    open_library,
    open_subject,
    replay,
)
from tmem.conformance.schedules.native.toolchain import ToolchainError
from tmem.conformance.schedules.picture import outline
from tmem.conformance.schedules.portfolio import programs
from tmem.conformance.schedules.search.search import Counts, StandsStillError
from tmem.conformance.schedules.threaded.program import Program, from_json
from tmem.conformance.turn import LINEARIZABLE, LibrarySource, Turn
from tmem.spec.integrity import intact

SINGLE_STEPS: Final = (
    "The library is not instrumented: its calls ran as single steps, and no schedule switched within one. "
    "Build it with `tmem cc`, or with the options of `tmem flags`."
)
AGED: Final = "page read after 30 days"
"""The coverpoint that counts stores whose clocks jumped."""


class Schedules:
    """Looks for races on purpose: every schedule with up to a few preemptions, and more drawn at random."""

    name = ENGINE
    detail = "small concurrent programs under controlled schedules"
    share = 0.45

    def run(self, turn: Turn) -> None:
        """Let clocks jump, then explore the programs of a round x scale, or until the deadline."""
        subject = _subject(turn)
        if subject is None:
            return
        total = max(1, round(programs(subject, turn.seed) * turn.scale))
        begun, last = round(turn.done * total), Counts()
        atomic = ATOMIC in subject.claims and turn.level == LINEARIZABLE

        def progress(counts: Counts) -> None:
            nonlocal last
            _tell(turn, last, counts, turn.done + counts.programs / total, atomic)
            last = replace(counts)

        if not turn.done and not subject.compiled:
            self._wait(turn, subject)
        try:
            found = explore(
                subject,
                turn.seed,
                total,
                begun=begun,
                over=turn.over,
                progress=progress,
                judging=_judging(turn, subject),
                counts=_counts(turn, turn.seed),
            )
            for finding in found:
                turn.emit(Found(finding))
        except StandsStillError as error:
            turn.emit(Note(f"Its threads cannot be controlled by schedules: {error}."))
            turn.emit(NotDone(self.name, (begun + last.programs) / total, str(error)))
            return
        finally:
            for first, second in subject.races():
                turn.emit(DataRace(first, second))
        if last.astray:
            turn.emit(
                Note(
                    f"{last.astray} of {last.schedules} schedules came out differently when repeated, "
                    "for the target makes choices that schedules do not decide."
                )
            )

    def _wait(self, turn: Turn, subject: Subject) -> None:
        turn.ring.step(0)
        for finding in waits.waiting(subject, self.name):
            turn.emit(Found(finding))
        turn.ring.rest()
        turn.emit(Covered({AGED: len(subject.variants)}))

    def steps(self, program: bytes, count: int) -> list[str]:
        """The program that was under way; which of its schedules is not known."""
        data = json.loads(program)
        if data["program"] is None:
            return ["the first operations, before any program"]
        return [*outline(from_json(data["program"])), "in one of its schedules, one of these"]

    def recall(self, program: bytes, variant: int) -> dict[str, object]:
        """The replay data of a program given to the ring, with all of its schedules."""
        return {"engine": self.name, **json.loads(program)}

    def replay(self, turn: Turn, data: dict[str, object]) -> None:
        """Run one schedule again, or all schedules of a program in which the process ended."""
        if isinstance(own := data.get("own"), list):
            turn = replace(turn, own=tuple(map(str, own)))
        subject = _subject(turn)
        if subject is None:
            raise ValueError(f"the threads of {turn.target} cannot be scheduled")
        seed, number = data.get("seed"), data.get("number")
        if "wait" in data:
            found = waits.replay(subject, data, self.name)
        elif not isinstance(seed, int) or not isinstance(number, int):
            found = replay(subject, data, _judging(turn, subject))
        elif data.get("program") is None:
            found = None
        else:
            found = explore_one(subject, seed, number, _judging(turn, subject), _counts(turn, seed))
        turn.emit(Progress(programs=1, schedules=1, done=1.0))
        if found is not None:
            turn.emit(Found(found))


def _subject(turn: Turn) -> Subject | None:
    # The target is loaded once more, so that virtual threads replace its threads.
    source = turn.source
    if source is None:
        turn.emit(Note("It is not Python: its threads cannot be controlled by schedules."))
        return None
    if isinstance(source, LibrarySource) and not instrumented(source.path):
        turn.emit(Note(SINGLE_STEPS))
        return None
    _begin(turn, turn.seed, 0, None)
    turn.ring.rest()  # rewriting its code is our work, and its first operations are watched
    try:
        if isinstance(source, LibrarySource):
            subject = open_library(source.path, source.budgets)
        else:
            subject = open_subject(
                source.place, source.attribute, source.variants, real_threads=turn.real_threads, own=turn.own
            )
    except (LoadError, LibraryError, ToolchainError) as error:
        turn.emit(Note(f"Its threads cannot be controlled by schedules: {error}."))
        return None
    for note in subject.notes:
        turn.emit(Note(note))
    return subject


def _counts(turn: Turn, seed: int) -> Counts:
    return Counts(begin=partial(_begin, turn, seed), beat=turn.ring.step, rest=turn.ring.rest)


def _judging(turn: Turn, subject: Subject) -> Judging:
    # A linearizable history is intact, and it takes less time to see that it is linearizable.
    if turn.level == LINEARIZABLE:
        return partial(violation_in, atomic_flush=ATOMIC in subject.claims)
    return lambda calls: (
        found if (found := violation_in(calls)) and (undeclared(calls) or not intact(calls)) else None
    )


def _begin(turn: Turn, seed: int, number: int, program: Program | None) -> None:
    data = None if program is None else program.to_json()
    turn.ring.begin(ENGINE, json.dumps({"seed": seed, "number": number, "program": data}).encode())
    turn.ring.step(0)


def _tell(turn: Turn, last: Counts, now: Counts, done: float, atomic: bool) -> None:
    operations, schedules = now.operations - last.operations, now.schedules - last.schedules
    histories = now.histories - last.histories
    turn.emit(Progress(operations, 1, schedules, histories, done=done))
    flushes, ends = now.flushes - last.flushes, now.ends - last.ends
    checks = {"TMEM-CONC-1": histories, "TMEM-CONC-2": histories, "TMEM-CONC-3": schedules}
    exercised = checks | {"TMEM-CONC-2": min(flushes + ends, histories)}
    claimed = {ATOMIC: flushes} if atomic else {}
    turn.emit(Checked(checks | claimed, exercised | claimed))
