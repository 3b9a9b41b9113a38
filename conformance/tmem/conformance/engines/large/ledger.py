"""The compact judge of large programs: an integer a slot, and the answers of `tmem.model.Judge`.

The loops of `perform` handle the common answers themselves, by the tables of `record`. Every other answer
comes here, where the functions of the spec decide. What is remembered grows with the slots, not with the
operations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

from tmem.conformance.engines.large.areas import SLOTS, Places
from tmem.conformance.engines.large.phases import Program
from tmem.conformance.engines.large.pools import Member, Pools
from tmem.conformance.engines.large.record import (
    AFTER,
    BELIEF,
    DIGIT,
    ENDINGS,
    ENDS_AT,
    EPOCH_AT,
    FLUSHED,
    FLUSHED_OBJECT,
    MISSED,
    NAME_AT,
    NAMES,
    NOTHING,
    REFUSED,
    REPLACED,
    TAKEN,
    TIME_AT,
    TIMES,
    ending,
    over,
    put,
    put_failed,
)
from tmem.conformance.engines.large.stamps import ANY, Stamp, equal, page, read
from tmem.model import Violation, blame
from tmem.model.origin import ENDED_BY, Origin, foreign, same_pool
from tmem.model.record import Record, Transition
from tmem.spec.abi.flags import kind_of
from tmem.spec.answers import declared, event, nowhere
from tmem.spec.clauses.pools import destroyed, flags_taken, flags_told
from tmem.spec.handle import POOL_BITS, Handle
from tmem.spec.operations import (
    Answer,
    DestroyPool,
    FlushObject,
    FlushPage,
    Get,
    NewPool,
    Operation,
    PoolFlags,
    Put,
    Reclaim,
)
from tmem.spec.slot import Does, Kind

REMEMBERED: Final = 1024
"""Ids of ended pools that are remembered: memory must not grow with the operations."""
LOW: Final = 255
"""The bits of a record by which what happens to slots is counted: the belief, and how pages ended."""

Asked = TypeVar("Asked", bound=Operation, contravariant=True)


class Blame(Protocol[Asked]):
    """A function of `tmem.model.blame` for an answer that concerns no page."""

    def __call__(self, record: Record, operation: Asked, answer: Answer, /) -> Violation:
        """The violation."""


class Ledger:
    """Judges one backend over one program."""

    def __init__(self, program: Program, page_size: int) -> None:
        self.page_size = page_size
        self.pools = Pools(program.pools, page_size)
        self.places = [Places(area, number, program.seed) for number, area in enumerate(program.areas)]
        self.count = 0
        """How many operations were judged."""
        self.epoch = 0
        self.pressure = -1
        """The epoch of the last sign that room is short: a reclaim, a failed put, a page that vanished."""
        self.transitions: defaultdict[Transition, int] = defaultdict(int)
        self.seen: defaultdict[str, int] = defaultdict(int)
        self._ended: set[tuple[int, int]] = set()
        """The first REMEMBERED ⟨client, pool id⟩s whose pools ended."""

    def press(self) -> None:
        """A sign that room is short was seen."""
        self.epoch += 1
        self.pressure = self.epoch

    def ids(self) -> set[tuple[int, int]]:
        """Every ⟨client, pool id⟩ that stands for a pool, and the first that did."""
        return self._ended | set(self.pools.live)

    # What a slot may hold

    def expected(self, member: Member, area: int, n: int) -> bytes | None:
        """The page that the slot may hold; None where it holds nothing."""
        record = member.place.records.get(area * SLOTS + n, 0)
        if not record & BELIEF:
            return None
        return self.page(_stamp(member, area, n, record))

    def page(self, stamp: Stamp) -> bytes:
        """The page of a stamp."""
        texture = self.places[stamp.area].area.texture
        return (
            equal(stamp.area, self.page_size) if texture == "copies" else page(stamp, texture, self.page_size)
        )

    def handle(self, member: Member, area: int, n: int) -> Handle:
        """The handle of a slot in the pool that a name stands for, or stood for last."""
        return Handle(-1 if member.id is None else member.id, *self.places[area].handle(n))

    def saw(self, kind: Kind, does: Does, counts: Mapping[int, int], member: Member, first: int) -> None:
        """Count what happened to slots by what was known of them: the low 8 bits of their records.

        Persistent pages are counted as what was at stake for the first of them, whose record is `first`.
        """
        get = does in (Does.HIT, Does.MISS)
        for low, count in counts.items():
            self.transitions[kind, self._state(low, kind, get, member, first), does] += count

    def _state(self, low: int, kind: Kind, get: bool, member: Member, first: int) -> str:
        if not get:
            return "page" if low & BELIEF else "empty"
        newest = low >> ENDS_AT & DIGIT
        if not low & BELIEF:
            again = newest == REFUSED and low >> ENDS_AT + 3 & DIGIT == REFUSED
            return "failed duplicate" if again else ENDINGS[newest]
        if kind.persistent and (stake := self._at_stake(member, first)) != "TMEM-GET-3":
            return stake
        return "replaced" if newest == REPLACED else "TMEM-GET-3" if kind.persistent else "page"

    def _at_stake(self, member: Member, record: int) -> str:
        epoch = record >> EPOCH_AT
        if self.pressure > epoch:
            return "TMEM-RECLAIM-1"
        if member.place.left > epoch:
            return "TMEM-SHARE-2"
        by = self.pools.members[record >> NAME_AT & NAMES]
        return "TMEM-SHARE-1" if by.spec.client != member.spec.client else "TMEM-GET-3"

    # Answers that the loops leave to the spec

    def put(self, member: Member, area: int, n: int, content: bytes, answer: Answer) -> Violation | None:
        """Judge any answer to a put."""
        operation = Put(member.spec.client, self.handle(member, area, n), content)
        if not declared(operation, answer):
            return self._blame(blame.undeclared, operation, answer)
        does = event(operation, answer).does
        if not member.live:
            return self._nowhere(member, does, operation, answer)
        if does is Does.NOTHING:
            return self._blame(blame.denied, operation, answer)
        slot, records = area * SLOTS + n, member.place.records
        record = records.get(slot, 0)
        self.transitions[member.kind, "page" if record & BELIEF else "empty", does] += 1
        if does is Does.STORED:
            records[slot] = put(record, member.name, self.epoch, member.stored)
        elif does is Does.REFUSED:
            records[slot] = put_failed(record, member.name, self.epoch)
            self.press()
        return None

    def get(self, member: Member, area: int, n: int, answer: Answer) -> Violation | None:
        """Judge any answer to a get."""
        operation = Get(member.spec.client, self.handle(member, area, n))
        if not declared(operation, answer):
            return self._blame(blame.undeclared, operation, answer)
        happened = event(operation, answer)
        if not member.live:
            if happened.does is Does.HIT:
                return self._wrong(member, area, n, 0, operation, answer)
            return self._nowhere(member, happened.does, operation, answer)
        slot, records = area * SLOTS + n, member.place.records
        record = records.get(slot, 0)
        belief = record & BELIEF
        if happened.does is Does.HIT and answer != self.expected(member, area, n):
            return self._wrong(member, area, n, record, operation, answer)
        after = AFTER[member.kind, happened.does][belief]
        if after is None:
            return self._lost(member, area, n, record, operation, answer)
        self.saw(member.kind, happened.does, {record & LOW: 1}, member, record)
        if happened.does is Does.MISS and belief:
            self.press()
        if belief and after == NOTHING:
            records[slot] = over(record, TAKEN if happened.does is Does.HIT else MISSED)
        elif after != belief:
            records[slot] = record & ~BELIEF | after
        return None

    def flush(self, member: Member, area: int, n: int, answer: Answer) -> Violation | None:
        """Judge any answer to a flush page."""
        operation = FlushPage(member.spec.client, self.handle(member, area, n))
        if not declared(operation, answer):
            return self._blame(blame.undeclared, operation, answer)
        does = event(operation, answer).does
        if not member.live:
            return self._nowhere(member, does, operation, answer)
        if does is Does.NOTHING:
            return self._blame(blame.denied, operation, answer)
        slot, records = area * SLOTS + n, member.place.records
        if slot in records:
            records[slot] = over(records[slot], FLUSHED)
        return None

    def flush_object(self, member: Member, area: int, number: int, answer: Answer) -> Violation | None:
        """Judge any answer to a flush of the object of this number in the area."""
        width = self.places[area].area.width
        handle = self.handle(member, area, number * width)
        operation = FlushObject(member.spec.client, handle.pool, handle.oid)
        if not declared(operation, answer):
            return self._blame(blame.undeclared, operation, answer)
        does = event(operation, answer).does
        if not member.live:
            return self._nowhere(member, does, operation, answer)
        if does is Does.NOTHING:
            return self._blame(blame.denied, operation, answer)
        records = member.place.records
        start = area * SLOTS + number * width
        covered = range(start, start + width)
        for slot in covered if width < len(records) else [each for each in records if each in covered]:
            if record := records.get(slot, 0):
                records[slot] = over(record, FLUSHED_OBJECT)
        return None

    # Pools

    def new_pool(self, member: Member, answer: Answer, flags: Answer = None) -> Violation | None:
        """Judge a new pool; `flags` is the answer of pool flags for it, None if the backend lacks them."""
        client = member.spec.client
        if type(answer) is not int or (client, answer) in self.pools.live or not 0 <= answer < 1 << POOL_BITS:
            return self._no_new_pool(member, answer)
        self.seen["pool id came back" if (client, answer) in self._ended else "pool made"] += 1
        kind = member.asked
        if flags is not None:
            self.seen["pool flags answered"] += 1
            if violation := self._flags(member, PoolFlags(client, answer), flags):
                return violation
            kind = kind_of(flags, member.spec.uuid) if isinstance(flags, int) else kind
        self.pools.join(member, answer, kind)
        return None

    def _flags(self, member: Member, ask: PoolFlags, flags: Answer) -> Violation | None:
        if not declared(ask, flags):
            return self._blame(blame.undeclared, ask, flags)
        uuid, kind = member.spec.uuid, member.asked
        if flags_told(kind, kind, True, flags, uuid, self.page_size):
            return None
        message = f"Pool flags are {flags!r}. The pool is {kind}."
        return self._violation("TMEM-POOL-5", message, "the flags of the pool", ask, flags)

    def _no_new_pool(self, member: Member, answer: Answer) -> Violation | None:
        operation = NewPool(member.spec.client, member.flags, member.spec.uuid)
        if not declared(operation, answer):
            return self._blame(blame.undeclared, operation, answer)
        if isinstance(answer, int):
            return self._blame(blame.id_taken, operation, answer)
        if not flags_taken(member.flags, self.page_size, answer, made=False):
            return self._blame(blame.flags_granted, operation, answer)
        self.seen["new pool refused"] += 1
        return None

    def destroy_pool(self, member: Member, answer: Answer) -> Violation | None:
        """Judge a destroy pool."""
        client, pool = member.spec.client, member.id
        assert pool is not None
        if not (member.live and (answer is True or answer is False)):
            operation = DestroyPool(client, pool)
            if not declared(operation, answer):
                return self._blame(blame.undeclared, operation, answer)
            if not member.live:
                return self._nowhere(member, event(operation, answer).does, operation, answer)
            if not destroyed(True, operation, answer):
                return self._blame(blame.denied, operation, answer)
        self.seen["pool ended"] += 1
        if len(self._ended) < REMEMBERED:
            self._ended.add((client, pool))
        self.epoch += 1
        self.pools.leave(member, self.epoch)
        return None

    def reclaim(self, pages: int, answer: Answer) -> Violation | None:
        """Judge a reclaim."""
        self.press()
        self.seen["reclaim made progress" if answer else "reclaim let nothing go"] += 1
        operation = Reclaim(pages)
        return None if declared(operation, answer) else self._blame(blame.undeclared, operation, answer)

    # Violations

    def _violation(
        self, clause: str, message: str, allowed: str, operation: Operation, answer: Answer
    ) -> Violation:
        return Violation(clause, message, allowed, self.count, operation, answer)

    def _blame(self, blames: Blame[Asked], operation: Asked, answer: Answer) -> Violation:
        return blames(self._record(), operation, answer)

    def _record(self) -> Record:
        # As much of one as blame reads where no page is concerned.
        return Record(self.page_size, None, self.count)

    def _nowhere(self, member: Member, does: Does, operation: Operation, answer: Answer) -> Violation | None:
        """Judge the answer to an operation on an id that stands for no pool."""
        self.transitions[None, "page", does] += 1
        self.seen["dead pool asked"] += 1
        if nowhere(operation, answer):
            return None
        pool = -1 if member.id is None else member.id
        return blame.no_pool(self._record(), operation, member.spec.client, pool, answer)

    def _lost(
        self, member: Member, area: int, n: int, record: int, operation: Operation, answer: Answer
    ) -> Violation:
        put_by = self._life(_stamp(member, area, n, record), "")
        clause = self._at_stake(member, record)
        return self._violation(
            clause, f"A persistent page is gone: {put_by}.", "that page", operation, answer
        )

    def _wrong(
        self, member: Member, area: int, n: int, record: int, operation: Get, answer: Answer
    ) -> Violation:
        allowed = "a miss" if member.live else "a miss, or ENODEV"
        if record & BELIEF:
            held = f"the page of put {record >> TIME_AT & TIMES} to it"
            allowed = held if AFTER[member.kind, Does.MISS][record & BELIEF] is None else f"{held}, or a miss"
        content = answer if isinstance(answer, bytes) else b""
        clause, message = self._source(member, area, n, record, operation, content)
        return self._violation(clause, message, allowed, operation, answer)

    def _source(
        self, member: Member, area: int, n: int, record: int, get: Get, content: bytes
    ) -> tuple[str, str]:
        if len(content) != self.page_size:
            return "TMEM-PUT-2", f"{len(content)} bytes came back, not a page of {self.page_size}."
        found = read(content)
        if found is None or not self._possible(found) or self.page(found) != content:
            mixed = "" if found is None else " It begins like a page that was put, and goes on like another."
            return "TMEM-PUT-2", f"A page came back that nobody ever put.{mixed}"
        if found.slot == ANY:
            ended = ENDINGS[record >> ENDS_AT & DIGIT]
            message = (
                f"At {get.handle} of client {get.client} there came back the page that was put to many slots."
            )
            return ("TMEM-HANDLE-1" if ended == "untouched" or found.area != area else ended), message
        by = self.pools.members[found.name]
        held = by.place.records.get(found.area * SLOTS + found.slot, 0)
        ended = ending(held, found.time)
        message = f"At {get.handle} of client {get.client} there came back {self._life(found, ended)}."
        if member.live and by.place is member.place:
            if (found.area, found.slot) == (area, n):
                later = found.time - (held >> TIME_AT & TIMES)
                return ended or ("TMEM-ARG-1" if later == 1 else "TMEM-PUT-2"), message
            if found.lifetime == member.place.lifetime:
                return same_pool(self._origin(found, ended), get.handle), message
        kind = member.kind if member.live else Kind()
        return foreign(self._origin(found, ended), get.client, kind, get.handle), message

    def _possible(self, found: Stamp) -> bool:
        return found.name < len(self.pools.members) and found.area < len(self.places)

    def _origin(self, found: Stamp, ended: str) -> Origin:
        by = self.pools.members[found.name]
        handle = self.handle(by, found.area, found.slot)
        return Origin(by.spec.client, found.lifetime, by.kind, handle, found.time, 0, ended=ended or None)

    def _life(self, found: Stamp, ended: str) -> str:
        by = self.pools.members[found.name]
        handle = self.handle(by, found.area, found.slot)
        born = f"the page of put {found.time} to {handle} by client {by.spec.client}"
        return f"{born}, which {ENDED_BY[ended]} had ended" if ended in ENDED_BY else born


def _stamp(member: Member, area: int, n: int, record: int) -> Stamp:
    # Of the page that the slot may hold.
    lifetime, time = member.place.lifetime, record >> TIME_AT & TIMES
    return Stamp(record >> NAME_AT & NAMES, area, lifetime, n, time)
