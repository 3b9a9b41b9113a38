"""Checks the claim `regain`: the room of pages that are gone comes back, in the store and in the process."""

from __future__ import annotations

from tmem.conformance.engines.large import growth, story
from tmem.conformance.engines.large.areas import Area
from tmem.conformance.engines.large.chapters import PAGES
from tmem.conformance.engines.large.perform import PHASE_AT
from tmem.conformance.engines.large.phases import Phase, PoolSpec, Program, Verb
from tmem.conformance.engines.large.trials import NAME, Trials
from tmem.conformance.events import Checked, Finding, Note, Progress, World
from tmem.conformance.programs.perform import close
from tmem.spec.backend import Claims
from tmem.spec.clauses import CLAIMS
from tmem.spec.clauses.claims import room_regained


def claimed(trials: Trials, variant: int) -> bool:
    """Whether the backend of this number claims `regain`."""
    backend = trials.turn.fresh(variant)
    claims = isinstance(backend, Claims) and "regain" in backend.claims
    close(backend)
    return claims


def cycles(trials: Trials, variant: int, seconds: float, shorter: int = 1) -> None:
    """Repeat each cycle for about `seconds` / `shorter`, and report how much the process grew."""
    claims = claimed(trials, variant)
    turn = trials.turn
    for cycle in growth.CYCLES_TRIED:
        count = min(growth.CYCLES, int(seconds / trials.cost / growth.LOOKS / len(cycle.phases) / 3))
        found = _grown(trials, cycle, variant, max(count // shorter, 16))
        if found is None or found.cycles < growth.CYCLES // 8:
            continue
        turn.emit(World({f"bytes grown per {found.cycle}": max(round(found.each), 0)}))
        if claims:
            turn.emit(Checked({"regain": 1}, {"regain": 1}))
        if found.leaks and claims:
            _leaks(trials, cycle, found, variant)
            return
        if found.leaks:
            turn.emit(
                Note(f"The process grows by {found.each:,.0f} bytes for each {found.cycle}, without end.")
            )


def again(trials: Trials, what: object, variant: int, pages: object) -> None:
    """Check the claim as a replay file says: by the cycle of this name or by `room`. Raises ValueError."""
    cycle = next((each for each in growth.CYCLES_TRIED if each.name == what), None)
    if cycle is not None:
        found = _grown(trials, cycle, variant, growth.CYCLES)
        if found is not None and found.leaks:
            _leaks(trials, cycle, found, variant)
        return
    if what != "room" or not isinstance(pages, int) or not 0 < pages < PAGES:
        raise ValueError(f"{what!r} is no way in which regain is checked")
    room(trials, variant, pages)


def room(trials: Trials, variant: int, pages: int) -> None:
    """Fill a store twice, with at most `pages` pages, and compare how many found room."""
    turn = trials.turn
    fill = Phase(Verb.PUT, count=pages, until_refused=True)
    items = (Phase(Verb.NEW), fill, Phase(Verb.FLUSH, count=pages), fill)
    program = Program(turn.seed, (PoolSpec(1, True),), (Area("near", "dense", 8, "copies"),), items)
    performer, ran = trials.perform(program, variant)
    turn.emit(Progress(ran.operations, 1))
    turn.emit(Checked({"regain": 1}, {"regain": 1}))
    if ran.violation is not None or len(performer.tallies) < len(items):
        return
    first, second = performer.tallies[1]["stored"], performer.tallies[3]["stored"]
    if room_regained(first, second):
        return
    message = f"After a fill of {first:,} pages and a flush of all, {second:,} found room."
    data: dict[str, object] = {"engine": NAME, "variant": variant, "regain": "room", "pages": pages}
    steps = story.lines(performer, None)
    trials.emit(Finding("regain", message, CLAIMS["regain"].sentence, steps, data, engine=NAME))


def _grown(trials: Trials, cycle: growth.Cycle, variant: int, count: int) -> growth.Growth | None:
    backend = trials.turn.fresh(variant)
    looks: list[growth.Look] = []
    performer = trials.performer(cycle.program(count, trials.turn.seed), backend)
    with growth.known():
        for _ in range(growth.LOOKS + 1):
            performer.restart()
            violation = performer.run()
            now = growth.look()
            if violation is not None or now is None or performer.stopped:
                break
            looks.append(now)
    trials.turn.emit(Progress(performer.ledger.count, 1))
    close(backend)
    trials.turn.ring.rest()
    if len(looks) <= growth.LOOKS:
        return None
    return growth.Growth.of(cycle.name, count, looks)


def _leaks(trials: Trials, cycle: growth.Cycle, found: growth.Growth, variant: int) -> None:
    message = f"The process grows by {found.each:,.0f} bytes for each {found.cycle}, again and again."
    program = cycle.program(found.cycles, trials.turn.seed)
    steps = story.plan(program, len(list(program.phases())) << PHASE_AT)
    grown = f"after each further {found.cycles:,} times: {found}"
    data: dict[str, object] = {"engine": NAME, "variant": variant, "regain": found.cycle}
    sentence = CLAIMS["regain"].sentence
    trials.emit(Finding("regain", message, sentence, (*steps, grown), data, engine=NAME))
