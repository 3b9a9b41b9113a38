"""The backend that stands before a store in another process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tmem.conformance.remote.connection import Connection, ProtocolError
from tmem.conformance.remote.server import Server
from tmem.spec.abi import errors, wire
from tmem.spec.abi.flags import NO_UUID
from tmem.spec.abi.layouts import OP_SIZE, AbiError
from tmem.spec.handle import Handle
from tmem.spec.operations import DestroyPool, FlushObject, FlushPage, Get, NewPool, PoolFlags, Put, Reclaim

_HEAD: Final = wire.REQUEST.size + OP_SIZE


class RemoteStore:
    """A session with a server; its threads have connections of their own where the server lets them join.

    It has the methods `reclaim` and `pool_flags` where the server says so.
    """

    reclaim: Callable[[int], int]
    pool_flags: Callable[[int, int], int]

    def __init__(self, server: Server) -> None:
        self._server = server
        connection = server.connect()
        try:
            about = connection.hello()
        except BaseException:
            connection.close()
            raise
        self.page_size = about.page_size
        self.claims = frozenset(about.claims)
        self._key = about.key
        # Sessions of one store, side by side or one after the other, must not meet in a shared pool.
        self._mask = int.from_bytes(about.key, "little")
        self._most = about.longest - _HEAD
        self._idle = [connection]
        self._alone = None if about.joining else threading.Lock()
        if "reclaim" in about.abilities:
            self.reclaim = self._reclaim
        if "pool_flags" in about.abilities:
            self.pool_flags = self._pool_flags

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool or join a shared one; its id."""
        if flags < 0 or flags >> 32:
            raise OSError(errors.EPERM, "EPERM: flags have 32 bits")
        own = uuid if uuid is None or uuid == NO_UUID else uuid ^ self._mask
        return self._number(NewPool(client, flags, own))

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client."""
        return self._found(DestroyPool(client, _pool(pool)))

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in. A page that is too long for the server's frames raises ValueError."""
        if not isinstance(page, bytes | bytearray | memoryview):
            raise TypeError(f"a page is bytes, not {type(page).__name__}")
        if len(page) > self._most:
            raise ValueError(f"a page has {self.page_size} bytes, not {len(page)}")
        return self._found(Put(client, Handle(_pool(pool), oid, index), bytes(page)))

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; None for a miss."""
        found = self._answer(Get(client, Handle(_pool(pool), oid, index)))
        if found.number == 0:
            return None
        if found.number != 1:
            raise ProtocolError(f"byte 8 of the answer to a get is {found.number}, not 1, 0 or an error")
        return found.body

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Invalidate one slot."""
        return self._found(FlushPage(client, Handle(_pool(pool), oid, index)))

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Invalidate every index of an object."""
        return self._found(FlushObject(client, _pool(pool), oid))

    def close(self) -> None:
        """End the session, with all of its pools."""
        idle, self._idle = self._idle, []
        try:
            if idle and not idle[0].broken:
                idle[0].call(wire.Close())
        finally:
            for connection in idle:
                connection.close()

    def _reclaim(self, pages: int) -> int:
        return self._number(Reclaim(pages))

    def _pool_flags(self, client: int, pool: int) -> int:
        return self._number(PoolFlags(client, _pool(pool)))

    def _found(self, body: wire.Body) -> bool:
        number = self._number(body)
        if number not in (0, 1):
            raise ProtocolError(f"byte 8 of an answer is {number}, not 1, 0 or an error")
        return bool(number)

    def _number(self, body: wire.Body) -> int:
        return self._answer(body).number

    def _answer(self, body: wire.Body) -> wire.Answer:
        try:
            with self._connection() as connection:
                found = connection.call(body)
        except AbiError as error:
            raise OSError(errors.EINVAL, f"EINVAL: {error}") from error
        if found.number < 0:
            raise OSError(-found.number, errors.name(-found.number))
        if found.body and type(body) is not Get:
            raise ProtocolError(
                f"byte 16 of an answer: {len(found.body)} bytes follow it, and none belong there"
            )
        return found

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection that no other call uses; one that was lost stays, so that every later call says so."""
        if self._alone is not None:
            with self._alone:
                yield self._idle[0]
            return
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._joined()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _joined(self) -> Connection:
        connection = self._server.connect()
        try:
            connection.hello(self._key)
        except BaseException:
            connection.close()
            raise
        return connection


def _pool(pool: int) -> int:
    if pool.bit_length() > 31:
        raise OSError(errors.ENODEV, "ENODEV: pool ids have 32 bits")
    return pool
