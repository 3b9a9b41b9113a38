"""The judge: fed one operation and its observed answer at a time, it says whether the spec allows it.

It keeps, for each slot, what the slot may hold (`tmem.spec.belief`), and for each page where it came
from; so each operation on a slot is judged in O(1), without search. It judges calls that do not
overlap; overlapping ones are the business of histories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from tmem.model.origin import Origin, foreign
from tmem.model.violation import Violation
from tmem.spec.abi.flags import describe, kind_of, objection
from tmem.spec.answers import declared, event, refused
from tmem.spec.belief import EMPTY, Belief, learn
from tmem.spec.clauses.pools import destroyed, flags_taken
from tmem.spec.handle import Handle, in_range
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
from tmem.spec.slot import Does, Event, Kind

Objects = defaultdict[int, dict[int, Belief[bytes]]]


@dataclass(slots=True)
class _Pool:
    """A pool as it was made: it lives while it has users, and ids may come back for another."""

    number: int
    uuid: int | None = None
    users: int = 0
    left: int = 0
    objects: Objects = field(default_factory=lambda: defaultdict(dict))


@dataclass(slots=True)
class _Member:
    """What ⟨client, pool id⟩ stands for now. The grant is taken at its word, so the kind is the member's."""

    pool: _Pool
    kind: Kind
    uuid: int | None


class Judge:
    """Judges the answers of one backend with pages of `page_size` bytes, from its first operation on.

    `scribble` is what callers write over their buffers after a put: seeing it again breaks TMEM-PUT-4.
    It remembers every page that was ever put: a judge lives as long as one run.
    """

    def __init__(self, page_size: int = 4096, scribble: bytes | None = None) -> None:
        self.page_size = page_size
        self._scribble = scribble
        self._members: dict[tuple[int, int], _Member] = {}
        self._shared: dict[int, _Pool] = {}
        self._origins: dict[bytes, Origin] = {}
        self._count = 0
        self._pools = 0
        self._pressure = 0
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
        """Judge one answer; None where the spec allows it. After a violation the judge knows no more."""
        self._count += 1
        return self._judges[type(operation)](operation, answer)

    def may_hold(self, client: int, handle: Handle) -> Belief[bytes]:
        """What a get of this slot may show now."""
        member = self._members.get((client, handle.pool))
        return EMPTY if member is None else self._belief(member, handle)

    def kind(self, client: int, pool: int) -> Kind | None:
        """The kind of the pool that the id stands for; None where the client has no such pool."""
        member = self._members.get((client, pool))
        return None if member is None else member.kind

    # Pages

    def _put(self, put: Put, answer: Answer) -> Violation | None:
        client, handle, page = put.client, put.handle, put.page
        if len(page) != self.page_size or not in_range(handle.oid, handle.index):
            return self._bad_argument(put, client, handle.pool, answer)
        if not declared(put, answer):
            return self._undeclared(put, answer)
        happened = event(put, answer)
        member = self._members.get((client, handle.pool))
        if member is None:
            self._remember(page, Origin(client, 0, Kind(), handle, self._count, 0), "TMEM-POOL-3")
            return None if destroyed(happened) else self._dead(put, answer)
        origin = Origin(client, member.pool.number, member.kind, handle, self._count, self._pressure)
        if happened.does is Does.NOTHING:
            self._remember(page, origin, "TMEM-ARG-1")
            return None
        if happened.does is Does.REFUSED:
            self._pressure += 1
        old = self._belief(member, handle).page
        self._learn(member, handle, happened)
        if old is not None and old != page:
            self._end(old, "TMEM-PUT-3")
        self._remember(page, origin, "TMEM-PUT-1" if happened.does is Does.REFUSED else None)
        return None

    def _get(self, get: Get, answer: Answer) -> Violation | None:
        client, handle = get.client, get.handle
        if not in_range(handle.oid, handle.index):
            return self._bad_argument(get, client, handle.pool, answer)
        if not declared(get, answer):
            return self._undeclared(get, answer)
        happened = event(get, answer)
        member = self._members.get((client, handle.pool))
        if member is None:
            return None if destroyed(happened) else self._wrong_page(get, answer, happened, None)
        belief = self._belief(member, handle)
        if not self._learn(member, handle, happened):
            if happened.does is Does.HIT:
                return self._wrong_page(get, answer, happened, member)
            return self._lost(get, answer, belief, member)
        if belief.page is not None:
            if happened.does is Does.MISS:
                self._pressure += 1
                self._end(belief.page, "TMEM-GET-1")
            elif happened.does is Does.HIT and member.kind.exclusive:
                self._end(belief.page, "TMEM-GET-2")
        return None

    def _flush_page(self, flush: FlushPage, answer: Answer) -> Violation | None:
        client, handle = flush.client, flush.handle
        if not in_range(handle.oid, handle.index):
            return self._bad_argument(flush, client, handle.pool, answer)
        if not declared(flush, answer):
            return self._undeclared(flush, answer)
        happened = event(flush, answer)
        member = self._members.get((client, handle.pool))
        if member is not None and happened.does is Does.FLUSHED:
            old = self._belief(member, handle).page
            self._learn(member, handle, happened)
            if old is not None:
                self._end(old, "TMEM-FLUSH-1")
        return None

    def _flush_object(self, flush: FlushObject, answer: Answer) -> Violation | None:
        if not in_range(flush.oid, 0):
            return self._bad_argument(flush, flush.client, flush.pool, answer)
        if not declared(flush, answer):
            return self._undeclared(flush, answer)
        member = self._members.get((flush.client, flush.pool))
        if member is not None and event(flush, answer).does is Does.FLUSHED:
            for belief in member.pool.objects.pop(flush.oid, {}).values():
                if belief.page is not None:
                    self._end(belief.page, "TMEM-FLUSH-2")
        return None

    # Pools

    def _new_pool(self, new: NewPool, answer: Answer) -> Violation | None:
        if not declared(new, answer):
            return self._undeclared(new, answer)
        if not flags_taken(new.flags, self.page_size, answer):
            why = objection(new.flags, self.page_size)
            return self._violation("TMEM-POOL-4", f"{describe(new.flags)}: {why}.", "EPERM", new, answer)
        if isinstance(answer, Raised):
            return None
        pool_id = int(answer or 0)
        if (new.client, pool_id) in self._members:
            told = f"Pool id {pool_id} is that of a live pool of client {new.client}."
            return self._violation("TMEM-POOL-1", told, "an id that is not live", new, answer)
        kind = kind_of(new.flags, new.uuid)
        self._join(new.client, pool_id, kind, new.uuid)
        return None

    def _pool_flags(self, ask: PoolFlags, answer: Answer) -> Violation | None:
        if not declared(ask, answer):
            return self._undeclared(ask, answer)
        member = self._members.get((ask.client, ask.pool))
        if member is None or isinstance(answer, Raised):
            return None
        told = kind_of(int(answer or 0), member.uuid)
        if told.shared != member.kind.shared:
            uuid = member.uuid
            self._leave(ask.client, ask.pool)
            self._join(ask.client, ask.pool, told, uuid)
        else:
            member.kind = told
        return None

    def _destroy_pool(self, destroy: DestroyPool, answer: Answer) -> Violation | None:
        if not declared(destroy, answer):
            return self._undeclared(destroy, answer)
        if (destroy.client, destroy.pool) in self._members and event(destroy, answer).does is Does.ENDED:
            self._leave(destroy.client, destroy.pool)
        return None

    def _join(self, client: int, pool_id: int, kind: Kind, uuid: int | None) -> None:
        pool = self._shared.get(uuid) if kind.shared and uuid is not None else None
        if pool is None:
            self._pools += 1
            pool = _Pool(self._pools)
            if kind.shared and uuid is not None:
                pool.uuid = uuid
                self._shared[uuid] = pool
        pool.users += 1
        self._members[client, pool_id] = _Member(pool, kind, uuid)

    def _leave(self, client: int, pool_id: int) -> None:
        pool = self._members.pop((client, pool_id)).pool
        pool.users -= 1
        pool.left = self._count
        if pool.users:
            return
        if pool.uuid is not None:
            del self._shared[pool.uuid]
        for indexes in pool.objects.values():
            for belief in indexes.values():
                if belief.page is not None:
                    self._end(belief.page, "TMEM-POOL-3")

    def _reclaim(self, reclaim: Reclaim, answer: Answer) -> Violation | None:
        self._pressure += 1
        return None if declared(reclaim, answer) else self._undeclared(reclaim, answer)

    # What is known

    @staticmethod
    def _belief(member: _Member, handle: Handle) -> Belief[bytes]:
        indexes = member.pool.objects.get(handle.oid)
        return EMPTY if indexes is None else indexes.get(handle.index, EMPTY)

    def _learn(self, member: _Member, handle: Handle, happened: Event[bytes]) -> bool:
        learned = learn(member.kind, self._belief(member, handle), happened)
        if learned is None:
            return False
        member.pool.objects[handle.oid][handle.index] = learned
        return True

    def _remember(self, page: bytes, origin: Origin, ended: str | None) -> None:
        if ended is None:
            self._origins[page] = origin
        elif page not in self._origins or self._origins[page].ended is not None:
            origin.ended, origin.end = ended, self._count
            self._origins[page] = origin

    def _end(self, page: bytes, clause: str) -> None:
        origin = self._origins.get(page)
        if origin is not None and origin.ended is None:
            origin.ended, origin.end = clause, self._count

    # What is broken

    def _violation(
        self, clause: str, message: str, allowed: str, operation: Operation, answer: Answer
    ) -> Violation:
        return Violation(clause, message, allowed, self._count, operation, answer)

    def _undeclared(self, operation: Operation, answer: Answer) -> Violation:
        came = f"raised {answer}" if isinstance(answer, Raised) else f"answered {type(answer).__name__}"
        told = f"{type(operation).__name__} {came}."
        allowed = "its declared type, or OSError with an errno of the ABI"
        return self._violation("TMEM-ERR-1", told, allowed, operation, answer)

    def _bad_argument(self, operation: Operation, client: int, pool: int, answer: Answer) -> Violation | None:
        on_dead_pool = (client, pool) not in self._members and isinstance(answer, Raised)
        if refused(answer) or (on_dead_pool and declared(operation, answer)):
            return None
        told = "An argument out of range was not refused."
        return self._violation("TMEM-ARG-1", told, "EINVAL, and nothing changes", operation, answer)

    def _dead(self, operation: Put, answer: Answer) -> Violation:
        told = f"A put was stored in pool {operation.handle.pool}, which client {operation.client} has not."
        return self._violation("TMEM-POOL-3", told, "ENODEV, or a put that fails", operation, answer)

    def _lost(self, get: Get, answer: Answer, belief: Belief[bytes], member: _Member) -> Violation:
        origin = self._origins[belief.page or b""]
        told = f"A persistent page is gone: {origin.life()}."
        if self._pressure > origin.pressure:
            clause = "TMEM-RECLAIM-1"
        elif member.pool.left > origin.put:
            clause = "TMEM-SHARE-2"
        elif origin.client != get.client:
            clause = "TMEM-SHARE-1"
        else:
            clause = "TMEM-GET-3"
        return self._violation(clause, told, "that page", get, answer)

    def _wrong_page(
        self, get: Get, answer: Answer, happened: Event[bytes], member: _Member | None
    ) -> Violation:
        page = happened.page or b""
        kind = Kind() if member is None else member.kind
        allowed = "a miss, or ENODEV" if member is None else "a miss"
        if member is not None and (held := self._belief(member, get.handle)).page is not None:
            allowed = f"the page of put #{self._origins[held.page or b''].put}"
            allowed += "" if held.sure else ", or a miss"
        origin = self._origins.get(page)
        if page == self._scribble:
            clause, told = "TMEM-PUT-4", "What the caller wrote into its buffer after the put came back."
        elif len(page) != self.page_size:
            clause, told = "TMEM-PUT-2", f"{len(page)} bytes came back, not a page of {self.page_size}."
        elif origin is None:
            clause, told = "TMEM-PUT-2", "A page came back that nobody ever put."
        elif member is not None and member.pool.number == origin.pool and origin.handle == get.handle:
            clause, told = origin.ended or "TMEM-PUT-2", f"There came back {origin.life()}."
        else:
            clause = foreign(origin, get.client, kind, get.handle)
            told = f"At {get.handle} there came back {origin.life()}."
        return self._violation(clause, told, allowed, get, answer)
