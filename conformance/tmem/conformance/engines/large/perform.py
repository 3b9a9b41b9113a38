"""Runs a large program against a backend: a loop for each verb, with the judging of common answers in it.

The loops are what the speed of the engine hangs on. They know the record of a slot, make the page that it
should hold and compare; whatever is not the common answer goes to the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final, cast

from tmem.conformance.engine import Ring, Silent
from tmem.conformance.engines.large import cycles
from tmem.conformance.engines.large.areas import SLOTS, Places
from tmem.conformance.engines.large.ledger import LOW, Ledger
from tmem.conformance.engines.large.phases import Loop, Phase, Program, Verb
from tmem.conformance.engines.large.pools import Member
from tmem.conformance.engines.large.record import (
    BELIEF,
    ENDS,
    ENDS_AT,
    EPOCH_AT,
    FLUSHED,
    MISSED,
    NAME_AT,
    NAMES,
    REPLACED,
    TAKEN,
    TIME_AT,
    TIMES,
    over,
)
from tmem.conformance.engines.large.stamps import BODIES, MARK, PACK, SALT, WORD, bodies, equal
from tmem.model import Violation
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.operations import Answer, DestroyPool, Operation, Raised
from tmem.spec.slot import Does

BLOCK: Final = 4096
"""Operations between two looks at the clock."""
TURN_AT: Final = 24
PHASE_AT: Final = 48
"""Where the turn of a loop and the number of a phase stand in the number of a step."""
_LAST: Final = BODIES - 1
_ENDS: Final = ENDS << ENDS_AT


class Performer:
    """One program on one backend, and what came of it so far."""

    def __init__(
        self,
        program: Program,
        backend: Backend,
        ring: Ring | None = None,
        stop: Callable[[], bool] = lambda: False,
        watch: Callable[[Performer, Phase], None] = lambda performer, phase: None,
    ) -> None:
        self.program = program
        self.backend = backend
        self.ledger = Ledger(program, backend.page_size)
        self.tallies: list[Counter[str]] = []
        """What each phase, by its number, was answered."""
        self.stopped = False
        self.at = (0, 0)
        """The phase that is under way, and the turn of its loop."""
        self.slot = (0, 0)
        """Name of the pool and slot of the operation that broke a clause."""
        self._step = (ring or Silent()).step
        self._stop = stop
        self._watch = watch
        self._look = BLOCK
        self._tells = isinstance(backend, TellsFlags)
        self._reclaims = isinstance(backend, Reclaims)
        self._verbs: dict[Verb, Callable[[Phase, int], Violation | None]] = {
            Verb.NEW: self._new_pool,
            Verb.DESTROY: self._destroy_pool,
            Verb.PUT: self._put,
            Verb.GET: self._get,
            Verb.FLUSH: self._flush,
            Verb.FLUSH_OBJECT: self._flush_object,
            Verb.RECLAIM: self._reclaim,
        }
        self._tally: Counter[str] = Counter()

    def run(self) -> Violation | None:
        """Run to the end, to the first violation, or until told to stop (then it is `stopped`)."""
        for number, item in self.program.numbered():
            self.at = number, 0
            if isinstance(item, Phase):
                violation = self._phase(number, 0, item)
                self._watch(self, item)
            else:
                violation = self._loop(number, item)
            if violation is not None or self._halt():
                return violation
        return None

    def _phase(self, number: int, turn: int, phase: Phase) -> Violation | None:
        self.at = number, turn
        self._tally = self._counter(number)
        return self._verbs[phase.verb](phase, number << PHASE_AT | turn << TURN_AT)

    def _counter(self, number: int) -> Counter[str]:
        while number >= len(self.tallies):
            self.tallies.append(Counter())
        return self.tallies[number]

    def _loop(self, number: int, loop: Loop) -> Violation | None:
        if cycles.fits(loop):
            members = [self.ledger.pools.members[phase.pool] for phase in loop.phases]
            if all(member.live for member in members):
                return self._cycle(number, loop, members)
        for turn in range(loop.times):
            for place, phase in enumerate(loop.phases, number):
                if violation := self._phase(place, turn, phase):
                    return violation
            if self._halt():
                break
        return None

    def _cycle(self, number: int, loop: Loop, members: list[Member]) -> Violation | None:
        ledger, places = self.ledger, self.ledger.places
        bound = [
            cycles.Bound(ledger, self.backend, member, places[phase.area], phase, self._counter(place))
            for place, (phase, member) in enumerate(zip(loop.phases, members, strict=True), number)
        ]
        ones = [each.one() for each in bound]
        violation = None
        for turn in range(loop.times):
            for place, one in enumerate(ones, number):
                self._step(place << PHASE_AT | turn << TURN_AT)
                violation = one()
                if violation is not None:
                    self.at = place, turn
                    self.slot = members[place - number].name, loop.phases[place - number].first
                    break
            ledger.count += len(ones)
            if violation is not None or self._halt():
                break
        for each in bound:
            each.report()
        return violation

    def restart(self) -> None:
        """Count what phases are answered anew, and make no use of what they were answered before."""
        self.tallies = []

    def last(self) -> tuple[Operation, Answer]:
        """An operation to blame for what comes after the end: the destroy of a pool, if there was one."""
        member = self.ledger.pools.members[self.slot[0]]
        return DestroyPool(member.spec.client, -1 if member.id is None else member.id), True

    def _halt(self) -> bool:
        if self.ledger.count >= self._look and not self.stopped:
            self._look = self.ledger.count + BLOCK
            self.stopped = self._stop()
        return self.stopped

    def _members(self, phase: Phase) -> Iterator[Member]:
        # Those that an operation can be tried on: an id that another name has now is that one's.
        for member in self.ledger.pools.members[phase.pool : phase.pool + phase.pools]:
            if member.live or (
                member.id is not None and (member.spec.client, member.id) not in self.ledger.pools.live
            ):
                yield member

    def _blocks(self, phase: Phase) -> Iterator[list[int]]:
        if phase.count == phase.times == 1:
            yield [phase.first]
            return
        slots = iter(phase.slots())
        while block := list(islice(slots, BLOCK)):
            yield block
            if self._halt():
                return

    # Pages

    def _put(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last + 1)
        for member in self._members(phase):
            for block in self._blocks(phase):
                full, violation = self._puts(member, places, block, base, phase.until_refused)
                base += len(block)
                if violation is not None:
                    return violation
                if full:
                    self.ledger.seen["full"] += 1
                    break
        return None

    def _puts(
        self, member: Member, places: Places, block: list[int], base: int, until: bool
    ) -> tuple[bool, Violation | None]:
        ledger, name, lifetime = self.ledger, member.name, member.place.lifetime
        records = member.place.records
        call, client, pool = self.backend.put, member.spec.client, cast(int, member.id)
        oids, indexes, width, area = places.oids, places.indexes, places.area.width, places.number
        known, key, step = records.get, area * SLOTS, self._step
        fills = bodies(places.area.texture, ledger.page_size)
        same = equal(area, ledger.page_size) if places.area.texture == "copies" else None
        belief = member.stored
        after = ledger.epoch << EPOCH_AT | name << NAME_AT | belief
        live, replaced, odd, done = member.live, 0, 0, 0
        violation = None
        for done, n in enumerate(block, 1):
            record = known(key | n, 0)
            time = (record >> TIME_AT & TIMES) + 1
            if same is None:
                head = PACK(MARK, name, area, lifetime, n, time, (n << 32 | time) * SALT & WORD)
                page = head + fills[n + time & _LAST] + head
            else:
                page = same
            step(base + done - 1)
            answer: Answer
            try:
                answer = call(client, pool, oids[n // width], indexes[n % width], page)
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if answer is True and live:
                if record & BELIEF:
                    replaced += 1
                    record = over(record, REPLACED)
                records[key | n] = after | time << TIME_AT | record & _ENDS
                continue
            violation = ledger.put(member, area, n, page, answer)
            odd += 1
            if violation is not None or until:
                break
            after = ledger.epoch << EPOCH_AT | name << NAME_AT | belief
        ledger.count += done
        self._tally["stored"] += done - odd
        self._tally["failed"] += odd
        if replaced:
            ledger.transitions[member.kind, "page", Does.STORED] += replaced
        if fresh := done - odd - replaced:
            ledger.transitions[member.kind, "empty", Does.STORED] += fresh
        if violation is not None:
            return False, self._broken(member, n, violation)
        return until and odd > 0, None

    def _get(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last + 1)
        for member in self._members(phase):
            for block in self._blocks(phase):
                violation = self._gets(member, places, block, base)
                base += len(block)
                if violation is not None:
                    return violation
        return None

    def _gets(self, member: Member, places: Places, block: list[int], base: int) -> Violation | None:
        ledger, lifetime, kind = self.ledger, member.place.lifetime, member.kind
        records = member.place.records
        call, client, pool = self.backend.get, member.spec.client, cast(int, member.id)
        oids, indexes, width, area = places.oids, places.indexes, places.area.width, places.number
        known, key, step = records.get, area * SLOTS, self._step
        fills = bodies(places.area.texture, ledger.page_size)
        same = equal(area, ledger.page_size) if places.area.texture == "copies" else None
        hit, miss = member.hit, member.miss
        hits: dict[int, int] = {}
        misses: dict[int, int] = {}
        others = first = 0
        live = member.live
        violation = None
        for done, n in enumerate(block, base):
            record = known(key | n, 0)
            belief = record & BELIEF
            step(done)
            answer: Answer
            try:
                answer = call(client, pool, oids[n // width], indexes[n % width])
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if answer is None and live and miss[belief] is not None:
                misses[record & LOW] = misses.get(record & LOW, 0) + 1
                if belief:
                    ledger.press()
                    records[key | n] = over(record, MISSED)
                continue
            if belief and live and type(answer) is bytes:
                if same is None:
                    time = record >> TIME_AT & TIMES
                    by = record >> NAME_AT & NAMES
                    head = PACK(MARK, by, area, lifetime, n, time, (n << 32 | time) * SALT & WORD)
                    page = head + fills[n + time & _LAST] + head
                else:
                    page = same
                if answer == page:
                    hits[record & LOW] = hits.get(record & LOW, 0) + 1
                    first = first or record
                    after = hit[belief]
                    if after != belief:
                        records[key | n] = over(record, TAKEN) if not after else record & ~BELIEF | after
                    continue
            violation = ledger.get(member, area, n, answer)
            others += 1
            if violation is not None:
                violation = self._broken(member, n, violation)
                break
        ledger.count += len(block)
        self._tally["hit"] += sum(hits.values())
        self._tally["missed"] += sum(misses.values())
        self._tally["otherwise"] += others
        if live and hits:
            ledger.saw(kind, Does.HIT, hits, member, first)
        if live and misses:
            ledger.saw(kind, Does.MISS, misses, member, first)
        return violation

    def _flush(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last + 1)
        for member in self._members(phase):
            for block in self._blocks(phase):
                violation = self._flushes(member, places, block, base)
                base += len(block)
                if violation is not None:
                    return violation
        return None

    def _flushes(self, member: Member, places: Places, block: list[int], base: int) -> Violation | None:
        ledger, records = self.ledger, member.place.records
        call, client, pool = self.backend.flush_page, member.spec.client, cast(int, member.id)
        oids, indexes, width, area = places.oids, places.indexes, places.area.width, places.number
        known, key, step = records.get, area * SLOTS, self._step
        live, held = member.live, 0
        self._tally["done"] += len(block)
        ledger.count += len(block)
        for done, n in enumerate(block, base):
            step(done)
            answer: Answer
            try:
                answer = call(client, pool, oids[n // width], indexes[n % width])
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if live and (answer is True or answer is False):
                record = known(key | n, 0)
                if record & BELIEF:
                    held += 1
                    records[key | n] = over(record, FLUSHED)
                continue
            violation = ledger.flush(member, area, n, answer)
            if violation is not None:
                return self._broken(member, n, violation)
        if live:
            ledger.transitions[member.kind, "page", Does.FLUSHED] += held
            ledger.transitions[member.kind, "empty", Does.FLUSHED] += len(block) - held
        return None

    def _flush_object(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last * self.program.areas[phase.area].width + 1)
        call = self.backend.flush_object
        for member in self._members(phase):
            for block in self._blocks(phase):
                self.ledger.count += len(block)
                for number in block:
                    self._step(base)
                    base += 1
                    oid = places.oids[number]
                    answer = self._answer(partial(call, member.spec.client, cast(int, member.id), oid))
                    if violation := self.ledger.flush_object(member, phase.area, number, answer):
                        return self._broken(member, number, violation)
                    self._tally["done"] += 1
        return None

    # Pools

    def _new_pool(self, phase: Phase, base: int) -> Violation | None:
        tells = cast(TellsFlags, self.backend).pool_flags if self._tells else None
        for member in self.ledger.pools.members[phase.pool : phase.pool + phase.pools]:
            if member.live:
                continue
            self.ledger.count += 1
            self._step(base)
            base += 1
            spec = member.spec
            answer = self._answer(partial(self.backend.new_pool, spec.client, member.flags, spec.uuid))
            told: Answer = None
            if type(answer) is int and tells is not None:
                told = self._answer(partial(tells, spec.client, answer))
            if violation := self.ledger.new_pool(member, answer, told):
                return self._broken(member, 0, violation)
            self._tally["made" if member.live else "refused"] += 1
            if phase.until_refused and not member.live:
                return None
            if self._halt():
                return None
        return None

    def _destroy_pool(self, phase: Phase, base: int) -> Violation | None:
        for member in list(self._members(phase)):
            self.ledger.count += 1
            self._step(base)
            base += 1
            client, pool = member.spec.client, cast(int, member.id)
            answer = self._answer(partial(self.backend.destroy_pool, client, pool))
            if violation := self.ledger.destroy_pool(member, answer):
                return self._broken(member, 0, violation)
            self._tally["done"] += 1
        return None

    def _reclaim(self, phase: Phase, base: int) -> Violation | None:
        if not self._reclaims:
            return None
        reclaim = cast(Reclaims, self.backend).reclaim
        for turn in range(phase.times):
            self.ledger.count += 1
            self._step(base + turn)
            answer = self._answer(partial(reclaim, phase.count))
            if violation := self.ledger.reclaim(phase.count, answer):
                return violation
            self._tally["pages let go"] += answer if isinstance(answer, int) else 0
        return None

    def _reach(self, area: int, slots: int) -> Places:
        places = self.ledger.places[area]
        places.reach(slots)
        return places

    def _broken(self, member: Member, n: int, violation: Violation) -> Violation:
        self.slot = member.name, n
        return violation

    @staticmethod
    def _answer(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except BaseException as error:  # SystemExit of a target must not end the suite
            return Raised.of(error)
