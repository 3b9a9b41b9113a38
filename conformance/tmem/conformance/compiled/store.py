"""The backend that stands before a store in a shared library.

Arguments are checked here, since C gets no lengths. Pages cross in buffers with guard bytes before and behind
them: a library that writes outside of a page, writes into a page that it is given, or touches the buffer of
a miss is found out by the call that does it.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Final

from tmem.conformance.compiled.interface import Config
from tmem.conformance.compiled.library import Call
from tmem.spec.abi import errors

GUARD: Final = 64
"""Guard bytes before a page, and behind it."""
FILL: Final = 0xC5
"""What guards hold, and the buffer of a get that has not hit."""
PAGE: Final = 4096
CLIENTS: Final = 1 << 16
WORD: Final = (1 << 64) - 1


class LibraryFaultError(Exception):
    """The library wrote where it must not write, or answered a number that means nothing."""


class Buffer:
    """Room for one page between guards, for one call at a time."""

    __slots__ = ("address", "page", "whole")

    def __init__(self, page_size: int) -> None:
        self.whole = bytearray([FILL]) * (page_size + 2 * GUARD)
        self.page = memoryview(self.whole)[GUARD : GUARD + page_size]
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.whole)) + GUARD


class Words:
    """A number as 64-bit words in memory, the least significant first."""

    __slots__ = ("_memory", "address")

    def __init__(self, number: int, count: int) -> None:
        if number < 0 or number >> 64 * count:
            raise OverflowError(f"{number} does not fit into {64 * count} bits")
        self._memory = (ctypes.c_uint64 * count)(*(number >> 64 * n & WORD for n in range(count)))
        self.address = ctypes.addressof(self._memory)


words = lru_cache(4096)(Words)
"""Those of the numbers that were asked for last. The caller keeps what it gets until its call returns."""


class Store:
    """One store of a library, with the methods of a backend that the library has functions for."""

    def __init__(self, functions: dict[str, Call], budget: int | None = None) -> None:
        self._functions = functions
        self._put = functions["tmem_put"]
        self._get = functions["tmem_get"]
        config = Config(0, 0, budget or 0)
        self._store = functions["tmem_open"](ctypes.addressof(config))
        if not self._store:
            raise OSError(errors.ENOMEM, "tmem_open returned NULL")
        self.page_size = functions["tmem_page_size"](self._store) if "tmem_page_size" in functions else PAGE
        # Buffers that no call uses. Those of get hold FILL everywhere.
        self._outgoing: list[Buffer] = []
        self._incoming: list[Buffer] = []
        self._empty = bytes([FILL]) * (self.page_size + 2 * GUARD)
        self._guard = self._empty[:GUARD]
        if "tmem_claims" in functions:
            self.claims = frozenset((functions["tmem_claims"]() or b"").decode(errors="replace").split())

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        """Make a pool or join a shared one; its id."""
        if flags < 0 or flags >> 32:
            raise OSError(errors.EPERM, "flags have 32 bits")
        name = None if uuid is None else words(uuid, 2)
        at = None if name is None else name.address
        return self._number(self._functions["tmem_new_pool"](self._store, _client(client), flags, at))

    def destroy_pool(self, client: int, pool: int) -> bool:
        """End the pool for this client."""
        return self._found("tmem_destroy_pool", client, pool)

    def put(self, client: int, pool: int, oid: int, index: int, page: bytes | bytearray | memoryview) -> bool:
        """Copy a page in."""
        if client < 0 or client >= CLIENTS or index < 0 or index >> 32 or pool.bit_length() > 31:
            raise _range(client, pool, index)
        if len(page) != self.page_size:
            raise ValueError(f"a page has {self.page_size} bytes, not {len(page)}")
        try:
            buffer = self._outgoing.pop()
        except IndexError:
            buffer = Buffer(self.page_size)
        buffer.page[:] = page
        name = words(oid, 3)
        answer = self._put(self._store, client, pool, name.address, index, buffer.address)
        whole, guard = buffer.whole, self._guard
        if not (whole.startswith(page, GUARD) and whole.startswith(guard) and whole.endswith(guard)):
            raise LibraryFaultError("tmem_put wrote into the page that it was given, or outside of it")
        self._outgoing.append(buffer)
        if answer == 1:
            return True
        if answer:
            raise _unusual("tmem_put", answer)
        return False

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        """Copy a page out; None for a miss."""
        if client < 0 or client >= CLIENTS or index < 0 or index >> 32 or pool.bit_length() > 31:
            raise _range(client, pool, index)
        try:
            buffer = self._incoming.pop()
        except IndexError:
            buffer = Buffer(self.page_size)
        name = words(oid, 3)
        answer = self._get(self._store, client, pool, name.address, index, buffer.address)
        whole, guard, page = buffer.whole, self._guard, None
        if answer == 1:
            if not (whole.startswith(guard) and whole.endswith(guard)):
                raise LibraryFaultError("tmem_get wrote outside of the page")
            page = bytes(buffer.page)
            whole[:] = self._empty
        elif whole != self._empty:
            raise LibraryFaultError("tmem_get missed and wrote into the buffer, or outside of it")
        self._incoming.append(buffer)
        if answer and answer != 1:
            raise _unusual("tmem_get", answer)
        return page

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        """Invalidate one slot."""
        if index < 0 or index >> 32:
            raise _range(client, pool, index)
        name = words(oid, 3)
        return self._found("tmem_flush_page", client, pool, name.address, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        """Invalidate every index of an object."""
        name = words(oid, 3)
        return self._found("tmem_flush_object", client, pool, name.address)

    def close(self) -> None:
        """Give everything back."""
        self._functions["tmem_close"](self._store)

    def _found(self, name: str, client: int, pool: int, *rest: Any) -> bool:
        answer = self._functions[name](self._store, _client(client), self._pool(pool), *rest)
        if answer not in (0, 1):
            raise _unusual(name, answer)
        return bool(answer)

    def _pool(self, pool: int) -> int:
        if pool.bit_length() > 31:
            raise OSError(errors.ENODEV, "pool ids have 32 bits")
        return pool

    @staticmethod
    def _number(answer: int) -> int:
        if answer < 0:
            raise _error(answer)
        return answer


class ReclaimingStore(Store):
    """One whose library has `tmem_reclaim`."""

    def reclaim(self, pages: int) -> int:
        """Remove up to `pages` ephemeral pages. Returns how many it removed."""
        if pages < 0 or pages >> 32:
            raise OverflowError(f"{pages} pages do not fit into 32 bits")
        return self._number(self._functions["tmem_reclaim"](self._store, pages))


class TellingStore(Store):
    """One whose library has `tmem_pool_flags`."""

    def pool_flags(self, client: int, pool: int) -> int:
        """The flags that the pool really has."""
        return self._number(
            self._functions["tmem_pool_flags"](self._store, _client(client), self._pool(pool))
        )


class FullStore(ReclaimingStore, TellingStore):
    """One whose library has both."""


def open_store(functions: dict[str, Call], budget: int | None = None) -> Store:
    """A new store of a library, with a budget in bytes; OSError where it does not open."""
    kinds = {(False, False): Store, (True, False): ReclaimingStore, (False, True): TellingStore}
    offers = "tmem_reclaim" in functions, "tmem_pool_flags" in functions
    return kinds.get(offers, FullStore)(functions, budget)


def _client(client: int) -> int:
    if not 0 <= client < CLIENTS:
        raise OverflowError(f"client {client} does not fit into 16 bits")
    return client


def _range(client: int, pool: int, index: int) -> Exception:
    if pool.bit_length() > 31:
        return OSError(errors.ENODEV, "pool ids have 32 bits")
    return OverflowError(f"client {client} or index {index} is out of range")


def _error(answer: int) -> OSError:
    return OSError(-answer, errors.name(-answer))


def _unusual(name: str, answer: int) -> Exception:
    if answer < 0:
        return _error(answer)
    return LibraryFaultError(f"{name} answers {answer}, and not 1, 0 or an error")
