"""The judge: fed one operation and its observed answer at a time, it says whether the spec allows it.

It keeps, for each slot, what the slot may hold (`tmem.spec.belief`), and for each page where it came
from; so each operation on a slot is judged in O(1), without search. It judges calls that do not
overlap; overlapping ones are the business of histories.
"""

from __future__ import annotations

from collections.abc import Callable

from tmem.model import blame
from tmem.model.origin import Origin
from tmem.model.pools import Member, SlotRecord
from tmem.model.record import Record
from tmem.model.violation import Violation
from tmem.spec.abi.flags import kind_of, objection
from tmem.spec.answers import declared, event, fits, nowhere, refused
from tmem.spec.belief import EMPTY, Belief, learn
from tmem.spec.clauses.pools import destroyed, flags_taken, flags_told
from tmem.spec.handle import POOL_BITS
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
    Raised,
    Reclaim,
)
from tmem.spec.slot import Does, Kind


class Judge:
    """Judges the answers of one backend with pages of `page_size` bytes, from its first operation on.

    `record` is what it has seen. After a violation it knows no more.
    """

    def __init__(self, page_size: int = 4096, scribble: bytes | None = None) -> None:
        self.record = Record(page_size, scribble)
        self._judges: dict[type[Operation], Callable[..., Violation | None]] = {
            NewPool: self._new_pool,
            DestroyPool: self._destroy_pool,
            Put: self._put,
            Get: self._get,
            FlushPage: self._flush_page,
            FlushObject: self._flush_object,
            PoolFlags: self._pool_flags,
            Reclaim: self._reclaim,
        }

    def observe(self, operation: Operation, answer: Answer) -> Violation | None:
        """Judge one answer; None where the spec allows it."""
        record = self.record
        record.count += type(operation) is not PoolFlags
        return self._judges[type(operation)](operation, answer)

    def _member(
        self, operation: Operation, client: int, pool: int, answer: Answer
    ) -> Member | Violation | None:
        """Return the pool of a valid call on its pages. Records the call and returns None without a pool."""
        record = self.record
        member = record.pools.members.get((client, pool))
        if not fits(operation, record.page_size):
            record.seen["bad argument"] += 1
            if refused(answer, live=member is not None):
                return None
            return blame.bad_argument(record, operation, answer)
        if not declared(operation, answer):
            return blame.undeclared(record, operation, answer)
        if member is None:
            record.transitions[None, "page", event(operation, answer).does] += 1
            if (client, pool) in record.pools.ended:
                record.seen["dead pool asked"] += 1
            if nowhere(operation, answer):
                return None
            return self._wrong_on_no_pool(operation, client, pool, answer)
        if member.fresh:
            member.fresh = False
            if member.asked != member.kind:
                return blame.kind_untold(record, operation, answer, member)
        return member

    def _wrong_on_no_pool(self, operation: Operation, client: int, pool: int, answer: Answer) -> Violation:
        if isinstance(operation, Get) and isinstance(answer, bytes):
            return blame.wrong_page(self.record, operation, answer, answer, None)
        return blame.no_pool(self.record, operation, client, pool, answer)

    # Pages

    def _put(self, put: Put, answer: Answer) -> Violation | None:
        client, handle, page = put.client, put.handle, put.page
        record = self.record
        member = self._member(put, client, handle.pool, answer)
        if not isinstance(member, Member):
            right = fits(put, record.page_size)
            if right or page not in record.origins:
                origin = Origin(client, 0, Kind(), handle, record.count, 0)
                self._never(page, origin, "TMEM-POOL-3" if right else "TMEM-ARG-1")
            return member
        happened = event(put, answer)
        if happened.does is Does.NOTHING:
            return blame.denied(record, put, answer)
        slot = member.pool.slot(handle)
        before = slot.origin
        record.transitions[member.kind, "empty" if before is None else "page", happened.does] += 1
        origin = Origin(client, member.pool.number, member.kind, handle, record.count, record.pressure)
        if happened.does is Does.REFUSED:
            record.pressure += 1
            self._empty(slot, "TMEM-PUT-1")
            slot.emptied = "TMEM-PUT-1" if before is None else "failed duplicate"
            self._never(page, origin, "TMEM-PUT-1")
            return None
        if before is not None:
            self._empty(slot, "TMEM-PUT-3")
            origin.replaced = True
        slot.belief = Belief(page, member.kind.persistent)
        origin.earlier = record.origins.get(page)
        slot.origin = record.origins[page] = origin
        return None

    def _get(self, get: Get, answer: Answer) -> Violation | None:
        client, handle = get.client, get.handle
        member = self._member(get, client, handle.pool, answer)
        if not isinstance(member, Member):
            return member
        happened = event(get, answer)
        slot = member.pool.slot(handle)
        at_stake = slot.emptied if slot.origin is None else self._at_stake(slot.origin, member, client)
        self.record.transitions[member.kind, at_stake, happened.does] += 1
        learned = learn(member.kind, slot.belief, happened)
        if learned is None:
            if happened.does is Does.HIT:
                return blame.wrong_page(self.record, get, answer, happened.page or b"", member)
            return blame.lost(self.record, get, answer, at_stake, slot.origin)
        if happened.does is Does.MISS:
            if slot.origin is not None:
                self.record.pressure += 1
            self._empty(slot, "TMEM-GET-1")
            slot.emptied = "TMEM-GET-1"
        elif learned.page is None and slot.origin is not None:
            self._empty(slot, "TMEM-GET-2")
        slot.belief = learned
        return None

    def _at_stake(self, origin: Origin, member: Member, client: int) -> str:
        # The clause that is broken if this persistent page is gone; an ephemeral one may be.
        if not member.kind.persistent:
            return "replaced" if origin.replaced else "page"
        if self.record.pressure > origin.pressure:
            return "TMEM-RECLAIM-1"
        if member.pool.left > origin.put:
            return "TMEM-SHARE-2"
        if origin.client != client:
            return "TMEM-SHARE-1"
        return "replaced" if origin.replaced else "TMEM-GET-3"

    def _flush_page(self, flush: FlushPage, answer: Answer) -> Violation | None:
        handle = flush.handle
        member = self._member(flush, flush.client, handle.pool, answer)
        if not isinstance(member, Member):
            return member
        happened = event(flush, answer)
        if happened.does is Does.NOTHING:
            return blame.denied(self.record, flush, answer)
        slot = member.pool.slot(handle)
        state = "empty" if slot.origin is None else "page"
        self.record.transitions[member.kind, state, happened.does] += 1
        self._empty(slot, "TMEM-FLUSH-1")
        return None

    def _flush_object(self, flush: FlushObject, answer: Answer) -> Violation | None:
        member = self._member(flush, flush.client, flush.pool, answer)
        if not isinstance(member, Member):
            return member
        if event(flush, answer).does is Does.NOTHING:
            return blame.denied(self.record, flush, answer)
        for slot in member.pool.objects.get(flush.oid, {}).values():
            self._empty(slot, "TMEM-FLUSH-2")
        return None

    # Pools

    def _new_pool(self, new: NewPool, answer: Answer) -> Violation | None:
        record = self.record
        if not fits(new):
            record.seen["bad argument"] += 1
            refusal = isinstance(answer, Raised) and flags_taken(new.flags, record.page_size, answer, False)
            return None if refusal or refused(answer) else blame.bad_argument(record, new, answer)
        if not declared(new, answer):
            return blame.undeclared(record, new, answer)
        if not flags_taken(new.flags, record.page_size, answer, made=isinstance(answer, int)):
            return blame.flags_granted(record, new, answer)
        if not isinstance(answer, int):
            bad = objection(new.flags, record.page_size) is not None
            record.seen["flags refused" if bad else "new pool refused"] += 1
            return None
        name = (new.client, answer)
        if name in record.pools.members or not 0 <= answer < 1 << POOL_BITS:
            return blame.id_taken(record, new, answer)
        record.seen["pool id came back" if name in record.pools.ended else "pool made"] += 1
        record.pools.join(new.client, answer, kind_of(new.flags, new.uuid), new.uuid)
        return None

    def _pool_flags(self, ask: PoolFlags, answer: Answer) -> Violation | None:
        record = self.record
        if not declared(ask, answer):
            return blame.undeclared(record, ask, answer)
        member = record.member(ask.client, ask.pool)
        if member is None:
            return None if nowhere(ask, answer) else blame.no_pool(record, ask, ask.client, ask.pool, answer)
        record.seen["pool flags answered"] += 1
        asked, kind, fresh = member.asked, member.kind, member.fresh
        right = flags_told(asked, kind, fresh, answer, member.uuid, record.page_size)
        if not right or not isinstance(answer, int):
            return blame.kind_told(record, ask, answer, member)
        granted = kind_of(answer, member.uuid)
        if granted != kind:  # a private pool in the place of a shared one
            self._leave(ask.client, ask.pool)
            record.pools.join(ask.client, ask.pool, granted, member.uuid)
            member = record.pools.members[ask.client, ask.pool]
        member.asked, member.fresh = granted, False
        return None

    def _destroy_pool(self, destroy: DestroyPool, answer: Answer) -> Violation | None:
        record = self.record
        if not declared(destroy, answer):
            return blame.undeclared(record, destroy, answer)
        live = record.member(destroy.client, destroy.pool) is not None
        if not destroyed(live, destroy, answer):
            if live:
                return blame.denied(record, destroy, answer)
            return blame.no_pool(record, destroy, destroy.client, destroy.pool, answer)
        if live:
            self._leave(destroy.client, destroy.pool)
        return None

    def _leave(self, client: int, pool_id: int) -> None:
        self.record.seen["pool ended"] += 1
        pool = self.record.pools.leave(client, pool_id, self.record.count)
        if not pool.users:
            for slot in pool.slots():
                self._empty(slot, "TMEM-POOL-3")

    def _reclaim(self, reclaim: Reclaim, answer: Answer) -> Violation | None:
        record = self.record
        record.pressure += 1
        record.seen["reclaim made progress" if answer else "reclaim let nothing go"] += 1
        if not fits(reclaim):
            return None if refused(answer) else blame.bad_argument(record, reclaim, answer)
        return None if declared(reclaim, answer) else blame.undeclared(record, reclaim, answer)

    # Where pages end

    def _empty(self, slot: SlotRecord, clause: str) -> None:
        if slot.origin is not None:
            slot.origin.ended, slot.origin.end = clause, self.record.count
            slot.belief, slot.origin, slot.emptied = EMPTY, None, clause

    def _never(self, page: bytes, origin: Origin, clause: str) -> None:
        # A page whose put failed may never be seen; the same page may live elsewhere.
        known = self.record.origins.get(page)
        if known is None or known.ended is not None:
            origin.ended, origin.end = clause, self.record.count
            origin.earlier = known
            self.record.origins[page] = origin
