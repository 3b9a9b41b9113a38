"""Layers for several threads: one lock, with or without gaps in flush object, and a background reclaimer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from tmem.conformance.conforming.wrapper import Page, Shadow
from tmem.spec.backend import Backend
from tmem.spec.handle import in_range


class Locked(Shadow):
    """Runs one operation at a time; with `by_page`, flush object lets others run between its pages."""

    def __init__(self, inner: Backend, by_page: bool) -> None:
        super().__init__(inner)
        self.by_page = by_page
        self.lock = threading.RLock()
        if hasattr(inner, "reclaim"):
            self.reclaim = self._reclaim  # only where the backend has it
        if hasattr(inner, "pool_flags"):
            self.pool_flags = self._pool_flags

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        with self.lock:
            return super().new_pool(client, flags, uuid)

    def destroy_pool(self, client: int, pool: int) -> bool:
        with self.lock:
            return super().destroy_pool(client, pool)

    def put(self, client: int, pool: int, oid: int, index: int, page: Page) -> bool:
        with self.lock:
            return super().put(client, pool, oid, index, page)

    def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
        with self.lock:
            return super().get(client, pool, oid, index)

    def flush_page(self, client: int, pool: int, oid: int, index: int) -> bool:
        with self.lock:
            return super().flush_page(client, pool, oid, index)

    def flush_object(self, client: int, pool: int, oid: int) -> bool:
        with self.lock:
            known = self.known(client, pool)
            if known is None or not self.by_page or not in_range(oid, 0):
                return super().flush_object(client, pool, oid)
            indexes = known.indexes(oid)
        for index in indexes:  # pages put meanwhile may stay: each slot is flushed once
            with self.lock:
                if self.known(client, pool) is known:
                    self.drop(client, pool, oid, index)
        return bool(indexes)

    def _reclaim(self, pages: int) -> int:
        with self.lock:
            return int(self.inner.reclaim(pages))  # type: ignore[attr-defined]

    def _pool_flags(self, client: int, pool: int) -> int:
        with self.lock:
            return int(self.inner.pool_flags(client, pool))  # type: ignore[attr-defined]

    def close(self) -> None:
        with self.lock:
            super().close()


class Background(Locked):
    """Drops pages in a thread of its own, from the first pool until the backend is closed."""

    PAUSE = 0.0002

    def __init__(self, inner: Backend, by_page: bool) -> None:
        super().__init__(inner, by_page)
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self.work, name="reclaimer", daemon=True)

    def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
        with self.lock:
            if self.thread.ident is None and not self.closed.is_set():
                self.thread.start()
            return super().new_pool(client, flags, uuid)

    def work(self) -> None:
        """Drop one page after the other."""
        while not self.closed.wait(self.PAUSE):
            with self.lock:
                for at in self.first():
                    self.drop(*at)

    def first(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield the first ephemeral slot, if there is one."""
        yield from list(self.ephemeral())[:1]

    def close(self) -> None:
        self.closed.set()
        if self.thread.ident is not None:
            self.thread.join()
        super().close()
