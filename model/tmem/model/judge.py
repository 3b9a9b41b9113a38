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
from tmem.spec.answers import declared, event, unflushed
from tmem.spec.belief import EMPTY, Belief, learn
from tmem.spec.clauses.pools import destroyed, flags_taken
from tmem.spec.handle import in_range
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
        self.record.count += type(operation) is not PoolFlags
        return self._judges[type(operation)](operation, answer)

    def _no_pool(self, client: int, pool: int, does: Does) -> None:
        self.record.transitions[None, "page", does] += 1
        if (client, pool) in self.record.pools.ended:
            self.record.seen["dead pool asked"] += 1

    def _bad_argument(self, operation: Operation, client: int, pool: int, answer: Answer) -> Violation | None:
        self.record.seen["bad argument"] += 1
        return blame.bad_argument(self.record, operation, client, pool, answer)

    # Pages

    def _put(self, put: Put, answer: Answer) -> Violation | None:
        client, handle, page = put.client, put.handle, put.page
        if len(page) != self.record.page_size or not in_range(handle.oid, handle.index):
            if page not in self.record.origins:
                self._never(page, Origin(client, 0, Kind(), handle, self.record.count, 0), "TMEM-ARG-1")
            return self._bad_argument(put, client, handle.pool, answer)
        if not declared(put, answer):
            return blame.undeclared(self.record, put, answer)
        happened = event(put, answer)
        member = self.record.pools.members.get((client, handle.pool))
        if member is None:
            self._no_pool(client, handle.pool, happened.does)
            self._never(page, Origin(client, 0, Kind(), handle, self.record.count, 0), "TMEM-POOL-3")
            return None if destroyed(happened) else blame.stored_in_no_pool(self.record, put, answer)
        slot = member.pool.slot(handle)
        before = slot.origin
        self.record.transitions[member.kind, "empty" if before is None else "page", happened.does] += 1
        origin = Origin(
            client, member.pool.number, member.kind, handle, self.record.count, self.record.pressure
        )
        if happened.does is Does.NOTHING:
            self._never(page, origin, "TMEM-ARG-1")
        elif happened.does is Does.REFUSED:
            self.record.pressure += 1
            self._empty(slot, "TMEM-PUT-1")
            slot.emptied = "TMEM-PUT-1" if before is None else "failed duplicate"
            self._never(page, origin, "TMEM-PUT-1")
        else:
            if before is not None:
                self._empty(slot, "TMEM-PUT-3")
                origin.replaced = True
            slot.belief = Belief(page, member.kind.persistent)
            origin.earlier = self.record.origins.get(page)
            slot.origin = self.record.origins[page] = origin
        return None

    def _get(self, get: Get, answer: Answer) -> Violation | None:
        client, handle = get.client, get.handle
        if not in_range(handle.oid, handle.index):
            return self._bad_argument(get, client, handle.pool, answer)
        if not declared(get, answer):
            return blame.undeclared(self.record, get, answer)
        happened = event(get, answer)
        member = self.record.pools.members.get((client, handle.pool))
        if member is None:
            self._no_pool(client, handle.pool, happened.does)
            return (
                None
                if destroyed(happened)
                else blame.wrong_page(self.record, get, answer, happened.page or b"", None)
            )
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
        client, handle = flush.client, flush.handle
        if not in_range(handle.oid, handle.index):
            return self._bad_argument(flush, client, handle.pool, answer)
        if not declared(flush, answer):
            return blame.undeclared(self.record, flush, answer)
        happened = event(flush, answer)
        member = self.record.pools.members.get((client, handle.pool))
        if member is None:
            self._no_pool(client, handle.pool, happened.does)
            return None
        if unflushed(flush, answer):
            return blame.denied_flush(self.record, flush, answer, "TMEM-FLUSH-1")
        slot = member.pool.slot(handle)
        self.record.transitions[member.kind, "empty" if slot.origin is None else "page", happened.does] += 1
        self._empty(slot, "TMEM-FLUSH-1")
        return None

    def _flush_object(self, flush: FlushObject, answer: Answer) -> Violation | None:
        if not in_range(flush.oid, 0):
            return self._bad_argument(flush, flush.client, flush.pool, answer)
        if not declared(flush, answer):
            return blame.undeclared(self.record, flush, answer)
        member = self.record.pools.members.get((flush.client, flush.pool))
        if member is None:
            return None
        if unflushed(flush, answer):
            return blame.denied_flush(self.record, flush, answer, "TMEM-FLUSH-2")
        for slot in member.pool.objects.get(flush.oid, {}).values():
            self._empty(slot, "TMEM-FLUSH-2")
        return None

    # Pools

    def _new_pool(self, new: NewPool, answer: Answer) -> Violation | None:
        if not declared(new, answer):
            return blame.undeclared(self.record, new, answer)
        if not flags_taken(new.flags, self.record.page_size, answer):
            return blame.flags_granted(self.record, new, answer)
        if not isinstance(answer, int):
            self.record.seen[
                "flags refused" if objection(new.flags, self.record.page_size) else "new pool refused"
            ] += 1
            return None
        if (new.client, answer) in self.record.pools.members:
            return blame.id_taken(self.record, new, answer)
        self.record.seen[
            "pool id came back" if (new.client, answer) in self.record.pools.ended else "pool made"
        ] += 1
        self.record.pools.join(new.client, answer, kind_of(new.flags, new.uuid), new.uuid)
        return None

    def _pool_flags(self, ask: PoolFlags, answer: Answer) -> Violation | None:
        if not declared(ask, answer):
            return blame.undeclared(self.record, ask, answer)
        member = self.record.member(ask.client, ask.pool)
        if member is None or not isinstance(answer, int):
            return None
        told = kind_of(answer, member.uuid)
        if told.shared != member.kind.shared:
            self._leave(ask.client, ask.pool)
            self.record.pools.join(ask.client, ask.pool, told, member.uuid)
        member.kind = told
        return None

    def _destroy_pool(self, destroy: DestroyPool, answer: Answer) -> Violation | None:
        if not declared(destroy, answer):
            return blame.undeclared(self.record, destroy, answer)
        if self.record.member(destroy.client, destroy.pool) and event(destroy, answer).does is Does.ENDED:
            self._leave(destroy.client, destroy.pool)
        return None

    def _leave(self, client: int, pool_id: int) -> None:
        self.record.seen["pool ended"] += 1
        pool = self.record.pools.leave(client, pool_id, self.record.count)
        if not pool.users:
            for slot in pool.slots():
                self._empty(slot, "TMEM-POOL-3")

    def _reclaim(self, reclaim: Reclaim, answer: Answer) -> Violation | None:
        self.record.pressure += 1
        self.record.seen["reclaim made progress" if answer else "reclaim let nothing go"] += 1
        return None if declared(reclaim, answer) else blame.undeclared(self.record, reclaim, answer)

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
