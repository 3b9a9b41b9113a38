"""Runs a large program against a backend: its phases and loops in their order, until a clause is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final, cast

from tmem.conformance.engines.large import cycles
from tmem.conformance.engines.large.areas import Places
from tmem.conformance.engines.large.ledger import Ledger
from tmem.conformance.engines.large.loops import Loops
from tmem.conformance.engines.large.phases import Loop, Phase, Program, Verb
from tmem.conformance.engines.large.pools import Member
from tmem.conformance.turn import Ring, Silent
from tmem.model import Violation
from tmem.spec.backend import Backend, Reclaims, TellsFlags
from tmem.spec.operations import Answer, DestroyPool, Operation, Raised

BLOCK: Final = 4096
"""Operations between two looks at the clock."""
TURN_AT: Final = 24
PHASE_AT: Final = 48
"""Where the turn of a loop and the number of a phase stand in the number of a step."""


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
        self._step = (ring or Silent()).step
        self.loops = Loops(backend, self.ledger, self._step)
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

    def run(self) -> Violation | None:
        """Run to the end, to the first violation, or until it shall stop (then it is `stopped`)."""
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
        self.loops.tally = self._counter(number)
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
                    self.loops.slot = members[place - number].name, loop.phases[place - number].first
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
        member = self.ledger.pools.members[self.loops.slot[0]]
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
                full, violation = self.loops.puts(member, places, block, base, phase.until_refused)
                base += len(block)
                if violation is not None:
                    return violation
                if full:
                    self.ledger.seen["full"] += 1
                    break
        return None

    def _get(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last + 1)
        for member in self._members(phase):
            for block in self._blocks(phase):
                violation = self.loops.gets(member, places, block, base)
                base += len(block)
                if violation is not None:
                    return violation
        return None

    def _flush(self, phase: Phase, base: int) -> Violation | None:
        places = self._reach(phase.area, phase.last + 1)
        for member in self._members(phase):
            for block in self._blocks(phase):
                violation = self.loops.flushes(member, places, block, base)
                base += len(block)
                if violation is not None:
                    return violation
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
                        return self.loops.broken(member, number, violation)
                    self.loops.tally["done"] += 1
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
            flags: Answer = None
            if type(answer) is int and tells is not None:
                flags = self._answer(partial(tells, spec.client, answer))
            if violation := self.ledger.new_pool(member, answer, flags):
                return self.loops.broken(member, 0, violation)
            self.loops.tally["made" if member.live else "refused"] += 1
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
                return self.loops.broken(member, 0, violation)
            self.loops.tally["done"] += 1
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
            self.loops.tally["pages let go"] += answer if isinstance(answer, int) else 0
        return None

    def _reach(self, area: int, slots: int) -> Places:
        places = self.ledger.places[area]
        places.reach(slots)
        return places

    @staticmethod
    def _answer(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except BaseException as error:  # SystemExit of a target must not end the suite
            return Raised.of(error)
