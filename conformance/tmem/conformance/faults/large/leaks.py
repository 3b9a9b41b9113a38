"""Faults that leak: stores that claim to regain their room and do not."""

from __future__ import annotations

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.conformance.faults.fault import fault
from tmem.spec.backend import Backend


class Claiming(Shadow):
    """Claims `regain`, and keeps leaked bytes until the backend is dropped."""

    claims = frozenset({"regain"})

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.leaked: list[bytearray] = []

    def leak(self, size: int) -> None:
        """Leak this number of bytes."""
        self.leaked.append(bytearray(size))


@fault("regain")
class FlushLeaks(Claiming):
    """Each flush of a page leaks 128 bytes."""

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        if found:
            self.leak(128)
        return found


@fault("regain")
class ReplacementLeaks(Claiming):
    """Each put over a page leaks 64 bytes."""

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        if self.held(client, pool, oid, index) is not None:
            self.leak(64)
        return super().put(client, pool, oid, index, page)


@fault("regain")
class DestroyLeaks(Claiming):
    """Each end of a pool leaks 256 bytes."""

    def destroy_pool(self, client: int, pool: int) -> bool:
        self.leak(256)
        return super().destroy_pool(client, pool)


@fault("regain")
class RoomLeaks(Claiming):
    """A store of 400 pages loses the room of every tenth page that is flushed."""

    room = 400

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        held = sum(len(known.pages) for known in set(self.pools.values()))
        if self.known(client, pool) and len(page) == self.page_size and held >= self.room:
            self.drop(client, pool, oid, index)
            return False
        return super().put(client, pool, oid, index, page)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        found = super().flush_page(client, pool, oid, index)
        if found and self.every(10):
            self.room -= 1
        return found
