"""The loops over the slots of a pool, one for each verb on pages, with the judging of common answers in them.

The speed of the engine hangs on these loops. They know the record of a slot, make the page that it
should hold and compare; whatever is not the common answer goes to the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from tmem.conformance.engines.large.areas import SLOTS, Places
from tmem.conformance.engines.large.ledger import LOW, Ledger
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
from tmem.spec.backend import Backend
from tmem.spec.operations import Answer, Raised
from tmem.spec.slot import Does

_LAST: Final = BODIES - 1
_ENDS: Final = ENDS << ENDS_AT


class Loops:
    """The loops on one backend. `base` is the number of a loop's first step."""

    def __init__(self, backend: Backend, ledger: Ledger, step: Callable[[int], None]) -> None:
        self.backend = backend
        self.ledger = ledger
        self.tally: Counter[str] = Counter()
        """Answers of the phase that is under way."""
        self.slot = (0, 0)
        """Name of the pool and slot of the operation that broke a clause."""
        self._step = step

    def puts(
        self, member: Member, places: Places, block: list[int], base: int, until: bool
    ) -> tuple[bool, Violation | None]:
        """Put a page into each slot; with `until`, to the first refusal (then the pool is full: True)."""
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
        self.tally["stored"] += done - odd
        self.tally["failed"] += odd
        if replaced:
            ledger.transitions[member.kind, "page", Does.STORED] += replaced
        if fresh := done - odd - replaced:
            ledger.transitions[member.kind, "empty", Does.STORED] += fresh
        if violation is not None:
            return False, self.broken(member, n, violation)
        return until and odd > 0, None

    def gets(self, member: Member, places: Places, block: list[int], base: int) -> Violation | None:
        """Get each slot, and compare what comes with the page that it should hold."""
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
                violation = self.broken(member, n, violation)
                break
        ledger.count += len(block)
        self.tally["hit"] += sum(hits.values())
        self.tally["missed"] += sum(misses.values())
        self.tally["otherwise"] += others
        if live and hits:
            ledger.saw(kind, Does.HIT, hits, member, first)
        if live and misses:
            ledger.saw(kind, Does.MISS, misses, member, first)
        return violation

    def flushes(self, member: Member, places: Places, block: list[int], base: int) -> Violation | None:
        """Flush each slot."""
        ledger, records = self.ledger, member.place.records
        call, client, pool = self.backend.flush_page, member.spec.client, cast(int, member.id)
        oids, indexes, width, area = places.oids, places.indexes, places.area.width, places.number
        known, key, step = records.get, area * SLOTS, self._step
        live, held = member.live, 0
        self.tally["done"] += len(block)
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
                return self.broken(member, n, violation)
        if live:
            ledger.transitions[member.kind, "page", Does.FLUSHED] += held
            ledger.transitions[member.kind, "empty", Does.FLUSHED] += len(block) - held
        return None

    def broken(self, member: Member, n: int, violation: Violation) -> Violation:
        """Note the slot of an operation that broke a clause."""
        self.slot = member.name, n
        return violation
