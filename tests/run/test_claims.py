"""The checks of claims: what only a page that is hit, or a slot that is put to twice, can show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tmem.conformance.engines.claims import ClaimChecks
from tmem.conformance.events import Event, Found
from tmem.conformance.turn import Turn
from tmem.impl import Store
from tmem.impl.order import Order
from tmem.impl.pool import Pool
from tmem.spec.backend import Backend

BUDGETS = (None, 16384, 6000)


def broken(make: Callable[[int], Backend]) -> set[str]:
    found = set()

    def emit(event: Event) -> None:
        if isinstance(event, Found):
            found.add(event.finding.clause)

    ClaimChecks().run(Turn("test", make, 0, emit))
    return found


def small(number: int) -> Backend:
    return Store(BUDGETS[number % len(BUDGETS)])


def test_the_store_keeps_its_claims() -> None:
    assert broken(small) == set()


def test_a_hit_that_does_not_renew_its_page_breaks_lru(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Order, "touch", lambda order, obj, index: None)
    assert broken(small) == {"lru"}


def test_pages_that_no_claim_covers_may_vanish() -> None:
    class Private(Store):
        """Grants only private pools, and pool flags report so."""

        def new_pool(self, client: int, flags: int = 0, uuid: int | None = None) -> int:
            return super().new_pool(client, flags & ~2)

    class TakesHits(Store):
        """A hit may take the page, and does."""

        claims = Store.claims - {"retain"}

        def get(self, client: int, pool: int, oid: int, index: int) -> bytes | None:
            page = super().get(client, pool, oid, index)
            self.flush_page(client, pool, oid, index)
            return page

    assert broken(lambda number: Private(BUDGETS[number % 3])) == set()
    assert broken(lambda number: TakesHits(BUDGETS[number % 3])) == set()


def test_a_duplicate_put_that_leaks_breaks_regain(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Pool.store

    def leaks(pool, oid, index, pampd):
        replaced = pool.tally.replaced
        lacking = store(pool, oid, index, pampd)
        if pool.tally.replaced > replaced:
            pool.spare -= 100
        return lacking

    monkeypatch.setattr(Pool, "store", leaks)
    assert broken(small) == {"regain"}
