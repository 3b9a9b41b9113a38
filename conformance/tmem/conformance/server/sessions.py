"""Sessions: who may reach which pool of a store that many processes use, and what each request is answered.

A client id of a session stands for a client of the store that no other session has, so private pools are out
of its reach. Shared pools meet by their UUID. All pools of a session end with it.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeAlias

from tmem.spec.abi import errors, wire
from tmem.spec.abi.flags import kind_of
from tmem.spec.abi.layouts import OP_SIZE
from tmem.spec.backend import Backend, Claims, Reclaims, TellsFlags
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim

Reply: TypeAlias = tuple[int, bytes]
"""The number of an answer, and its body."""
RESTING: Final = 1 << 12
"""Clients that are free before the first of them is used again: what a store keeps of it shows nowhere."""
BAD_ARGUMENT: Final = (TypeError, ValueError, OverflowError)
"""What a store may raise for a wrong argument in place of EINVAL (TMEM-ARG-1)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may have. A request beyond it is refused as the contract says."""

    pools: int = 1024
    """Pools at the same time; one more answers ENOMEM."""
    pages: int | None = None
    """Persistent pages that it has put and not flushed; a put of one more fails, and its slot is empty."""
    uuids: frozenset[int] | None = None
    """The shared pools that it may make or join, by UUID; any other answers EPERM. None: all."""


class Session:
    """The clients and pools of one peer, which may have several connections."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.connections = 0
        self.clients: dict[int, int] = {}
        """The store's client for each client id."""
        self.pools: dict[tuple[int, int], dict[int, set[int]] | None] = {}
        """Each client id and pool id, with the persistent pages that were put, by object; None: ephemeral."""
        self.pages = 0
        """The sum of these."""


class Sessions:
    """All sessions of a store."""

    def __init__(self, store: Backend, limits: Limits = Limits(), joining: bool = True) -> None:
        self.store = store
        self.limits = limits
        self._joining = joining
        """Whether there can be several connections, which may join one session."""
        self.open: dict[bytes, Session] = {}
        self.answered: Counter[tuple[str, int]] = Counter()
        """Answers by request and outcome: 1, 0, or minus an errno; a pool id counts as 1."""
        self._free: deque[int] = deque()
        self._fresh = count(1)
        able = {"reclaim": isinstance(store, Reclaims), "pool_flags": isinstance(store, TellsFlags)}
        self._able = frozenset(name for name, has in able.items() if has)
        self._claims = tuple(sorted(store.claims)) if isinstance(store, Claims) else ()
        self.longest = wire.REQUEST.size + OP_SIZE + 2 * store.page_size

    def begin(self, key: bytes) -> tuple[Session | None, Reply]:
        """A new session, or one more connection of the session with this key. EPERM where there is none."""
        session = self.open.get(key)
        if key == wire.NEW_SESSION:
            session = self.open.setdefault(fresh := secrets.token_bytes(16), Session(fresh))
        if session is None:
            return None, (-errors.EPERM, b"")
        session.connections += 1
        shown = session.key if self._joining else wire.NEW_SESSION
        about = wire.Welcome(
            self.store.page_size, self._able, self._joining, self.longest, shown, self._claims
        )
        return session, (wire.VERSION, wire.welcome(about))

    def left(self, session: Session) -> None:
        """One of its connections is gone; with the last one the session ends."""
        session.connections -= 1
        if not session.connections:
            self.end(session)

    def end(self, session: Session) -> None:
        """End all pools of a session. Its clients of the store become free for others."""
        if self.open.pop(session.key, None) is None:
            return
        for client, pool in session.pools:
            self.store.destroy_pool(session.clients[client], pool)
        session.pools.clear()
        for each in session.clients.values():
            self._free.append(each)

    def answer(self, session: Session, body: wire.Body) -> Reply:
        """What a request is answered. EPERM where another connection has ended the session."""
        if self.open.get(session.key) is not session:
            return -errors.EPERM, b""
        try:
            reply = self._perform(session, body)
        except OSError as error:
            reply = -(error.errno or wire.EIO), b""
        except BAD_ARGUMENT:
            reply = -errors.EINVAL, b""
        except Exception:  # a defect of the store, of which its callers are told
            reply = -wire.EIO, b""
        self.answered[type(body).__name__, min(reply[0], 1)] += 1
        return reply

    def _perform(self, session: Session, body: wire.Body) -> Reply:
        match body:
            case Get(client, Handle(pool, oid, index)):
                page = self.store.get(self._client(session, client), pool, oid, index)
                return (0, b"") if page is None else (1, page)
            case Put():
                return int(self._put(session, body)), b""
            case NewPool():
                return self._new_pool(session, body), b""
            case DestroyPool(client, pool):
                found = self.store.destroy_pool(self._client(session, client), pool)
                self._forget_pool(session, client, pool)
                return int(found), b""
            case FlushPage(client, Handle(pool, oid, index)):
                found = self.store.flush_page(self._client(session, client), pool, oid, index)
                self._forget(session, client, pool, oid, index)
                return int(found), b""
            case FlushObject(client, pool, oid):
                found = self.store.flush_object(self._client(session, client), pool, oid)
                self._forget(session, client, pool, oid, None)
                return int(found), b""
            case PoolFlags(client, pool) if isinstance(self.store, TellsFlags):
                return self.store.pool_flags(self._client(session, client), pool), b""
            case Reclaim(pages) if isinstance(self.store, Reclaims):
                return self.store.reclaim(pages), b""
        return -wire.ENOSYS, b""

    def _client(self, session: Session, client: int) -> int:
        known = session.clients.get(client)
        if known is None:
            known = self._free.popleft() if len(self._free) > RESTING else next(self._fresh)
            session.clients[client] = known
        return known

    def _new_pool(self, session: Session, body: NewPool) -> int:
        if len(session.pools) >= self.limits.pools:
            return -errors.ENOMEM
        shared = kind_of(body.flags, body.uuid).shared
        if shared and self.limits.uuids is not None and body.uuid not in self.limits.uuids:
            return -errors.EPERM
        client = self._client(session, body.client)
        pool = self.store.new_pool(client, body.flags, body.uuid)
        flags = self.store.pool_flags(client, pool) if isinstance(self.store, TellsFlags) else body.flags
        persistent = kind_of(flags, body.uuid).persistent
        session.pools.setdefault((body.client, pool), {} if persistent else None)
        return pool

    def _put(self, session: Session, body: Put) -> bool:
        pool, oid, index = body.handle.pool, body.handle.oid, body.handle.index
        client, objects = self._client(session, body.client), session.pools.get((body.client, pool))
        if objects is None:
            return self.store.put(client, pool, oid, index, body.page)
        most, more = self.limits.pages, index not in objects.get(oid, ())
        if most is not None and session.pages >= most and more and len(body.page) == self.store.page_size:
            self.store.flush_page(client, pool, oid, index)
            raise OSError(errors.ENOMEM, "the session has all the pages that it may have")
        try:
            stored = self.store.put(client, pool, oid, index, body.page)
        except OSError as error:
            if error.errno in errors.PUT_FAILED:
                self._forget(session, body.client, pool, oid, index)
            raise
        if not stored:
            self._forget(session, body.client, pool, oid, index)
        elif more:
            objects.setdefault(oid, set()).add(index)
            session.pages += 1
        return stored

    def _forget(self, session: Session, client: int, pool: int, oid: int, index: int | None) -> None:
        """Count a slot, or all of an object, as empty."""
        objects = session.pools.get((client, pool))
        if not objects or oid not in objects:
            return
        gone = objects[oid] & {index} if index is not None else set(objects[oid])
        objects[oid] -= gone
        session.pages -= len(gone)
        if not objects[oid]:
            del objects[oid]

    def _forget_pool(self, session: Session, client: int, pool: int) -> None:
        objects = session.pools.pop((client, pool), None)
        session.pages -= sum(map(len, objects.values())) if objects else 0
