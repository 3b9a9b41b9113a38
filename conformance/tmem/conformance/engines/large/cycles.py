"""Loops over single slots, which hammer one page: bound once, and several times faster than as phases.

Each phase becomes a function that performs one operation and judges the common answers, as `Loops` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from tmem.conformance.engines.large.areas import SLOTS, Places
from tmem.conformance.engines.large.ledger import LOW, Ledger
from tmem.conformance.engines.large.phases import Loop, Phase, Verb
from tmem.conformance.engines.large.pools import Member
from tmem.conformance.engines.large.record import (
    BELIEF,
    FLUSHED,
    MISSED,
    NAME_AT,
    NAMES,
    NOTHING,
    TAKEN,
    TIME_AT,
    TIMES,
    over,
    put,
)
from tmem.conformance.engines.large.stamps import BODIES, bodies, equal, stamp
from tmem.model import Violation
from tmem.spec.backend import Backend
from tmem.spec.operations import Answer, Raised
from tmem.spec.slot import Does

VERBS: Final = (Verb.PUT, Verb.GET, Verb.FLUSH)
One = Callable[[], Violation | None]
"""Performs one operation."""


def alone(phase: Phase) -> bool:
    """Whether it is one operation on one slot."""
    return phase.verb in VERBS and phase.count == phase.times == phase.pools == 1 and not phase.until_refused


def fits(loop: Loop) -> bool:
    """Whether a loop is one over single slots."""
    return all(alone(phase) for phase in loop.phases)


@dataclass(slots=True)
class Bound:
    """A phase of one operation, bound to a backend and its slot; what it was answered is counted."""

    ledger: Ledger
    backend: Backend
    member: Member
    places: Places
    phase: Phase
    tally: Counter[str]
    counts: dict[int, int] = field(default_factory=dict)
    """Stored puts, hits and flushes by the low bits of the record before."""
    misses: dict[int, int] = field(default_factory=dict)
    last: int = 0
    """The record before the last hit."""

    def one(self) -> One:
        """The operation."""
        return {Verb.PUT: self._put, Verb.GET: self._get, Verb.FLUSH: self._flush}[self.phase.verb]()

    def report(self) -> None:
        """Count what was seen where the ledger counts."""
        ledger, member, kind = self.ledger, self.member, self.member.kind
        done = sum(self.counts.values())
        match self.phase.verb:
            case Verb.PUT:
                ledger.saw(kind, Does.STORED, self.counts, member, 0)
                self.tally["stored"] += done
            case Verb.FLUSH:
                ledger.saw(kind, Does.FLUSHED, self.counts, member, 0)
                self.tally["done"] += done
            case _:
                ledger.saw(kind, Does.HIT, self.counts, member, self.last)
                ledger.saw(kind, Does.MISS, self.misses, member, 0)
                self.tally["hit"] += done
                self.tally["missed"] += sum(self.misses.values())

    def _page(self) -> Callable[[int, int], bytes]:
        # The page of a put by this name, the how-manieth of the slot.
        texture, size = self.places.area.texture, self.ledger.page_size
        area, n = self.places.number, self.phase.first
        if texture == "copies":
            same = equal(area, size)
            return lambda name, time: same
        fills, lifetime = bodies(texture, size), self.member.place.lifetime

        def page(name: int, time: int) -> bytes:
            head = stamp(name, area, lifetime, n, time)
            return head + fills[(n + time) % BODIES] + head

        return page

    def _put(self) -> One:
        ledger, member, area, n = self.ledger, self.member, self.places.number, self.phase.first
        client, pool, (oid, index) = member.spec.client, cast(int, member.id), self.places.handle(n)
        call, records, slot, page = self.backend.put, member.place.records, area * SLOTS + n, self._page()
        name, belief, counts, tally = member.name, member.stored, self.counts, self.tally

        def one() -> Violation | None:
            record = records.get(slot, 0)
            content = page(name, (record >> TIME_AT & TIMES) + 1)
            answer: Answer
            try:
                answer = call(client, pool, oid, index, content)
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if answer is True:
                records[slot] = put(record, name, ledger.epoch, belief)
                counts[record & LOW] = counts.get(record & LOW, 0) + 1
                return None
            tally["failed"] += 1
            return ledger.put(member, area, n, content, answer)

        return one

    def _get(self) -> One:
        ledger, member, area, n = self.ledger, self.member, self.places.number, self.phase.first
        client, pool, (oid, index) = member.spec.client, cast(int, member.id), self.places.handle(n)
        call, records, slot, page = self.backend.get, member.place.records, area * SLOTS + n, self._page()
        hit, miss, counts, misses = member.hit, member.miss, self.counts, self.misses

        def one() -> Violation | None:
            record = records.get(slot, 0)
            belief = record & BELIEF
            answer: Answer
            try:
                answer = call(client, pool, oid, index)
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if answer is None and miss[belief] is not None:
                misses[record & LOW] = misses.get(record & LOW, 0) + 1
                if belief:
                    ledger.press()
                    records[slot] = over(record, MISSED)
                return None
            if belief and type(answer) is bytes:
                expected = page(record >> NAME_AT & NAMES, record >> TIME_AT & TIMES)
                if answer == expected:
                    counts[record & LOW] = counts.get(record & LOW, 0) + 1
                    self.last = record
                    after = hit[belief]
                    if after == NOTHING:
                        records[slot] = over(record, TAKEN)
                    elif after is not None and after != belief:
                        records[slot] = record & ~BELIEF | after
                    return None
            return ledger.get(member, area, n, answer)

        return one

    def _flush(self) -> One:
        ledger, member, area, n = self.ledger, self.member, self.places.number, self.phase.first
        client, pool, (oid, index) = member.spec.client, cast(int, member.id), self.places.handle(n)
        call, records, slot, counts = (
            self.backend.flush_page,
            member.place.records,
            area * SLOTS + n,
            self.counts,
        )

        def one() -> Violation | None:
            record = records.get(slot, 0)
            answer: Answer
            try:
                answer = call(client, pool, oid, index)
            except BaseException as error:  # SystemExit of a target must not end the suite
                answer = Raised.of(error)
            if answer is True or answer is False:
                counts[record & LOW] = counts.get(record & LOW, 0) + 1
                if record & BELIEF:
                    records[slot] = over(record, FLUSHED)
                return None
            return ledger.flush(member, area, n, answer)

        return one
