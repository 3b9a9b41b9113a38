"""Large programs as a person reads them: a line for each phase, as a loop, with what it was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tmem.conformance.engines.large.areas import OBJECTS, SLOTS, Area, Places
from tmem.conformance.engines.large.perform import PHASE_AT, TURN_AT, Performer
from tmem.conformance.engines.large.phases import Phase, PoolSpec, Program, Verb
from tmem.model import Violation
from tmem.spec.handle import short
from tmem.spec.operations import Raised

_INDEX = {
    "dense": "{n}",
    "borders": "border {n}",
    "from the top": "2^32-1-{n}",
    "spread": "0x9e3779b1·{n}",
    "pages of 4096": "4096·{n}",
}
_OBJECT = {"near": "{n}", "middle word": "2^64·{n}", "high word": "2^128·{n}", "addresses": "2^44·{n}"}
OF_SLOTS = (Verb.PUT, Verb.GET, Verb.FLUSH, Verb.FLUSH_OBJECT)


def lines(performer: Performer, violation: Violation | None) -> tuple[str, ...]:
    """The program that ran, with the answers; the last line is the operation that broke a clause."""
    ids = [member.id for member in performer.ledger.pools.members]
    steps: list[str] = []
    number = 0
    for item in performer.program.items:
        if number >= len(performer.tallies):
            break
        if isinstance(item, Phase):
            tally = performer.tallies[number]
            steps.append(f"{_phase(performer.program, item, ids)}{_answers(tally)}")
            number += 1
            continue
        inner = "; ".join(_phase(performer.program, each, ids) for each in item.phases)
        steps.append(f"{item.times:,} times: {inner}")
        number += len(item.phases)
    if violation is not None and steps:
        came = _came(violation)
        single = steps[-1].partition(" → ")[0]
        handle = getattr(violation.operation, "handle", None)
        where = "" if handle is None or not (" for " in single or "times" in single) else f"{handle}: "
        steps[-1] = f"{single} → {where}{came}"
    return tuple(steps)


def plan(program: Program, step: int) -> list[str]:
    """The lines up to a step of the heartbeat, whose number says phase, turn and operation."""
    reached, turn, done = (
        step >> PHASE_AT,
        step >> TURN_AT & (1 << PHASE_AT - TURN_AT) - 1,
        step & (1 << TURN_AT) - 1,
    )
    ids: list[int | None] = [None] * len(program.pools)
    steps: list[str] = []
    number = 0
    for item in program.items:
        if number > reached:
            break
        if isinstance(item, Phase):
            steps.append(_phase(program, item, ids))
            number += 1
            continue
        inner = "; ".join(_phase(program, each, ids) for each in item.phases)
        steps.append(f"{item.times:,} times: {inner}")
        number += len(item.phases)
    if steps and done:
        steps[-1] += f", operation {done + 1:,} of it"
    if steps and turn:
        steps[-1] += f", in turn {turn + 1:,}"
    return steps


def _phase(program: Program, phase: Phase, ids: Sequence[int | None]) -> str:
    members = program.pools[phase.pool : phase.pool + phase.pools]
    clients = sorted({each.client for each in members})
    who = f"client {clients[0]}" if len(clients) == 1 else f"{len(clients)} clients"
    match phase.verb:
        case Verb.RECLAIM:
            return f"reclaim {phase.count:,} pages{_times(phase)}"
        case Verb.NEW:
            many = "" if phase.pools == 1 else f", {phase.pools} times"
            return (
                f"{who}: new pool {_kind(members[0])}{many}{', until one is refused' * phase.until_refused}"
            )
        case Verb.DESTROY:
            return f"{who}: destroy {_pool(phase, ids, 'pool ', 'pools')}"
    places = Places(program.areas[phase.area], phase.area, program.seed)
    until = ", until one is refused" * phase.until_refused
    pool = _pool(phase, ids, "", "pools")
    return f"{who}: {phase.verb} {_slots(phase, places, pool)}{_times(phase)}{until}"


def _pool(phase: Phase, ids: Sequence[int | None], one: str, many: str) -> str:
    known = [ids[name] for name in range(phase.pool, phase.pool + phase.pools)]
    if phase.pools == 1:
        return f"{one}{'abcdefghijklmnopqrstuvwxyz'[phase.pool % 26] if known[0] is None else known[0]}"
    numbers = [each for each in known if each is not None]
    if len(set(numbers)) == 1:
        return f"{one}{numbers[0]}"
    return f"{phase.pools} {many}"


def _kind(pool: PoolSpec) -> str:
    parts = ["PERSIST" if pool.persistent else "EPHEMERAL"]
    return "|".join(parts if pool.uuid is None else [*parts, "SHARED"]) + (
        "" if pool.uuid is None else f", uuid {pool.uuid:#x}"
    )


def _times(phase: Phase) -> str:
    return "" if phase.times == 1 else f", {phase.times:,} times"


def _slots(phase: Phase, places: Places, pool: str) -> str:
    area = places.area
    if phase.verb is Verb.FLUSH_OBJECT:
        if phase.count == 1:
            return f"⟨{pool}, {short(places.handle(phase.first * area.width)[0])}⟩"
        return f"⟨{pool}, {_object(area, places.number, 'n')}⟩{_range(phase)}"
    if phase.count == 1:
        oid, index = places.handle(phase.first)
        return f"⟨{pool}, {short(oid)}, {index}⟩"
    if phase.last < area.width:
        return f"⟨{pool}, {short(places.handle(0)[0])}, {_INDEX[area.indexes].format(n='n')}⟩{_range(phase)}"
    if area.width == 1:
        index = places.handle(0)[1]
        return f"⟨{pool}, {_object(area, places.number, 'n')}, {index}⟩{_range(phase)}"
    width = area.width
    index_of = _INDEX[area.indexes].format(n=f"(n mod {width})")
    return f"⟨{pool}, {_object(area, places.number, f'(n div {width})')}, {index_of}⟩{_range(phase)}"


def _object(area: Area, number: int, n: str) -> str:
    if area.objects == "random":
        return f"random id {n}"
    base = OBJECTS[area.objects](number, 0)
    page = _OBJECT[area.objects].format(n=n)
    return page if not base else f"{short(base)}+{page}" if base < SLOTS else f"{base:#x}+{page}"


def _range(phase: Phase) -> str:
    order = "" if phase.step == 1 else ", downwards" if phase.step == -1 else ", in another order"
    if phase.spacing > 1:
        return f" for n = {phase.first}, {phase.first + phase.spacing}, … {phase.last}{order}"
    if phase.first:
        return f" for {phase.first} ≤ n ≤ {phase.last}{order}"
    return f" for n < {phase.count}{order}"


def _answers(tally: Counter[str]) -> str:
    parts = [f"{count:,} {name}" for name, count in tally.items() if count and name != "done"]
    return f" → {', '.join(parts)}" if parts else ""


def _came(violation: Violation) -> str:
    match violation.answer:
        case None:
            return "nothing"
        case Raised() as error:
            return str(error)
        case bytes():
            return "a page"
        case other:
            return repr(other)
